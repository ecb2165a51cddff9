/** What is decided at random: sets of policies or of expressions, each `{files, options, requests}` with files as policies by path. */

import { globals } from "./attributes.mjs";
import { load } from "./engine.mjs";
import { anyType, broken, Expressions } from "./expressions.mjs";
import { Refused } from "./pdp.mjs";
import { expressionPolicy, policySet } from "./policies.mjs";
import { checkRequest } from "./requests.mjs";

/** How many expressions have a mistake of syntax. */
const BROKEN = 0.05;

const EXPRESSIONS_A_SET = 150;
const REQUESTS_A_SET = 12;
const RESOURCES_A_REQUEST = 6;

/** The texts of files. JSON is YAML, so the ending tells only which reader gets them. */
export const toTexts = (files) =>
  Object.fromEntries(Object.entries(files).map(([name, policy]) => [name, JSON.stringify(policy, null, 1)]));

/** A set of policies with requests about it. */
export function setOfPolicies(rng) {
  const set = usefulSet(rng);
  const about = Object.values(set.files).flatMap(({ resourcePolicy = [] }) => resourcePolicy);
  return { ...set, requests: rng.times(REQUESTS_A_SET, () => checkRequest(rng, RESOURCES_A_REQUEST, about)) };
}

/** A set of policies that orthrus takes or, for the sake of what it refuses, any. */
function usefulSet(rng) {
  for (;;) {
    const set = policySet(rng);
    if (rng.chance(0.1) || isAccepted(set)) {
      return set;
    }
  }
}

/** Whether orthrus takes a set. */
export function isAccepted({ files, options }) {
  try {
    load(toTexts(files), options).close();
    return true;
  } catch (error) {
    if (error instanceof Refused) {
      return false;
    }
    throw error;
  }
}

/** Expressions, of which some are broken. */
export function someExpressions(rng) {
  const maker = new Expressions(rng, { constantsFail: true });
  const depth = () => (rng.chance(0.1) ? rng.int(4, 6) : rng.int(1, 3));
  const one = () => maker.make(anyType(rng), depth());
  const written = rng.times(EXPRESSIONS_A_SET, () => (rng.chance(BROKEN) ? broken(rng, one()) : one()));
  return [...new Set(written)].filter((expression) => expression !== "");
}

/** A policy that puts out each expression, and requests about it. Those that are known to fail are no conditions. */
export function expressionSet(rng, accepted, failing) {
  // What fails beforehand may still be put out, as the error that it is.
  const conditional = (index) => index % 2 === 1 && !failing.has(accepted[index]);
  const requests = rng.times(8, () => {
    const request = checkRequest(rng, 1);
    const resource = { ...request.resources[0].resource, kind: "doc", scope: "", policyVersion: "" };
    return { ...request, resources: [{ resource, actions: accepted.map((_, index) => String(index)) }] };
  });
  const single = requests.map((request) => ({
    ...request,
    resources: request.resources[0].actions.map((action) => ({ ...request.resources[0], actions: [action] })),
  }));
  const options = { strictEvaluation: rng.chance(0.3), globals: globals(rng) };
  return { files: { "doc.json": expressionPolicy(accepted, { conditional }) }, options, requests: single };
}
