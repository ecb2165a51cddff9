/** Sets of policies and of expressions at random, as the differential test has them. */

import { claims } from "../differential/engine.mjs";
import { expressionPolicy } from "../differential/policies.mjs";
import { Rng } from "../differential/rng.mjs";
import { expressionSet, isAccepted, setOfPolicies, someExpressions, toTexts } from "../differential/sets.mjs";
import { set } from "./sets.mjs";

/** The request as engines get it: claims in place of tokens. */
function withClaims({ auxData: { jwt, jwts } = {}, ...request }) {
  const claimsOfAll = (tokens) =>
    Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, claims(token.token)]));
  if (jwt !== undefined) {
    return { ...request, auxData: { jwt: claims(jwt.token) } };
  }
  return jwts === undefined ? request : { ...request, auxData: { jwts: claimsOfAll(jwts) } };
}

const made = (name, { files, options, requests }) => set(name, toTexts(files), options, requests.map(withClaims));

/** Expressions that are refused are sets by themselves; the others are one. */
function* setsOfExpressions(rng, name) {
  const accepted = [];
  const failing = new Set();
  for (const expression of someExpressions(rng)) {
    const one = (isCondition) => ({
      files: { "doc.json": expressionPolicy([expression], { conditional: () => isCondition }) },
      options: {},
      requests: [],
    });
    const [never, always] = [one(false), one(true)];
    if (!isAccepted(never)) {
      yield made(`${name}, ${expression}`, never);
      continue;
    }
    accepted.push(expression);
    if (!isAccepted(always)) {
      failing.add(expression);
      yield made(`${name}, ${expression}, as condition`, always);
    }
  }
  yield made(name, expressionSet(rng, accepted, failing));
}

/** Sets without end. */
export function* generatedSets(seed) {
  const rng = new Rng(seed);
  for (let number = 0; ; number++) {
    const own = rng.fork();
    const name = `seed ${seed}, set ${number}`;
    if (own.chance(0.85)) {
      yield made(name, setOfPolicies(own));
    } else {
      yield* setsOfExpressions(own, name);
    }
  }
}
