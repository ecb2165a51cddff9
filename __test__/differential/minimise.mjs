/** Makes a disagreement small: drops parts of policies, request and options for as long as it persists. */

import { compareAnswers, start } from "./run.mjs";

/** How many smaller disagreements are tried; each takes a start of the PDP. */
const TRIES = 300;

/** The paths of all parts of a JSON value that can be dropped, the large ones first. */
export function parts(value, path = []) {
  if (typeof value !== "object" || value === null) {
    return [];
  }
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  const own = keys.map((key) => [...path, key]);
  return [...own, ...keys.flatMap((key) => parts(value[key], [...path, key]))];
}

function at(value, path) {
  return path.reduce((part, key) => part?.[key], value);
}

/** A copy without the part at a path. */
export function without(value, path) {
  const copy = structuredClone(value);
  const parent = at(copy, path.slice(0, -1));
  if (Array.isArray(parent)) {
    parent.splice(path.at(-1), 1);
  } else {
    delete parent[path.at(-1)];
  }
  return copy;
}

/** What is asked of both engines, in one value. */
const subject = ({ set, request }) => ({ files: set.files, options: set.options, request });

/**
 * Whether only orthrus refuses, for schemas that are missing or wrong where they are enforced. That is meant to be so, and a set
 * becomes like that when a schema is dropped from it.
 */
function isMeant({ pdp, orthrus }) {
  return pdp.refusal === undefined && orthrus.refusal?.startsWith("invalid-schema");
}

async function persists(binary, { files, options, request }, kind) {
  const engines = await start(binary, { files, options });
  try {
    const { pdp, orthrus } = engines;
    if (pdp.value === undefined || orthrus.value === undefined) {
      const refusals = pdp.refusal !== undefined && orthrus.refusal !== undefined;
      return kind === "load" && !refusals && !isMeant(engines)
        ? { kind, pdp: pdp.refusal ?? "accepted", orthrus: orthrus.refusal ?? "accepted" }
        : undefined;
    }
    if (request === undefined) {
      return undefined;
    }
    const { found } = await compareAnswers(pdp.value, orthrus.value, request);
    return found.find((difference) => difference.kind === kind);
  } catch {
    // A request that lacks what it needs is refused by one side or the other.
    return undefined;
  } finally {
    await engines.stop();
  }
}

/** The smallest disagreement found, in the form of the given one. */
export async function minimise(binary, disagreement) {
  const { kind } = disagreement;
  let smallest = subject(disagreement);
  let told = disagreement;
  let tries = 0;
  let shrunk = true;
  while (shrunk && tries < TRIES) {
    shrunk = false;
    for (const path of parts(smallest).sort((a, b) => a.length - b.length)) {
      if (tries >= TRIES || at(smallest, path) === undefined) {
        continue;
      }
      const candidate = without(smallest, path);
      if (candidate.files === undefined || Object.keys(candidate.files).length === 0) {
        continue;
      }
      tries += 1;
      const difference = await persists(binary, { options: {}, ...candidate }, kind);
      if (difference !== undefined) {
        smallest = { options: {}, ...candidate };
        told = difference;
        shrunk = true;
      }
    }
  }
  const { files, options, request } = smallest;
  return { ...told, kind, request, set: { files, options } };
}
