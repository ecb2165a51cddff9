/** What requests carry: attributes by name, of a type (with its hint) that most requests keep to and some do not. */

import { TEXTS } from "./texts.mjs";

/** Of principals and resources alike. */
export const ATTRIBUTES = {
  s: "string",
  s2: "string",
  n: "double",
  n2: "double",
  b: "bool",
  ls: "list(string)",
  ln: "list(double)",
  lm: "list(dyn)",
  m: "map(string, dyn)",
  mm: "map(string, dyn)",
  t: "time",
  d: "duration",
  ip: "ip",
  cidr: "cidr",
  path: "path",
  num: "number",
  spiffe: "spiffe",
  re: "regex",
  b64: "base64",
  z: "null",
};

/** Of the engine. */
export const GLOBALS = { env: "string", limit: "double", flags: "list(string)", on: "bool" };

const NUMBERS = [0, 1, -1, 2, 2.5, 10, 1e15, 9007199254740992, -0.5, 1e300, 100, 0.1, 1e-7];

function ordinary(rng, type) {
  switch (type) {
    case "string":
      return rng.pick(TEXTS[""]);
    case "double":
      return rng.pick(NUMBERS);
    case "bool":
      return rng.chance(0.5);
    case "null":
      return null;
    case "list(string)":
      return rng.times(rng.int(0, 4), () => rng.pick(TEXTS[""]));
    case "list(double)":
      return rng.times(rng.int(0, 4), () => rng.pick(NUMBERS));
    case "list(dyn)":
      return rng.times(rng.int(0, 3), () => ({ id: rng.pick(["ann", "bob", 7]), tags: ["a"] }));
    case "map(string, dyn)":
      return {
        ...Object.fromEntries(rng.sample(["a", "b", "k", "é"], rng.int(0, 3)).map((key) => [key, scalar(rng)])),
        ...(rng.chance(0.5) ? { x: { y: rng.pick(TEXTS[""]) } } : {}),
      };
    default:
      return rng.pick(TEXTS[rng.chance(0.15) && TEXTS[`bad${type}`] ? `bad${type}` : type]);
  }
}

function scalar(rng) {
  return rng.pick([rng.pick(TEXTS[""]), rng.pick(NUMBERS), true, false, null]);
}

/** Any JSON value. */
function anything(rng, depth = 2) {
  if (depth === 0 || rng.chance(0.5)) {
    return scalar(rng);
  }
  return rng.chance(0.5)
    ? rng.times(rng.int(0, 3), () => anything(rng, depth - 1))
    : Object.fromEntries(
        rng
          .sample(["a", "b", "x", "", "weird key", "__proto"], rng.int(0, 3))
          .map((key) => [key, anything(rng, depth - 1)]),
      );
}

/** Attributes of a principal or resource; a few are missing or of another type. */
export function attributes(rng) {
  const made = {};
  for (const [name, type] of Object.entries(ATTRIBUTES)) {
    if (rng.chance(0.9)) {
      made[name] = rng.chance(0.06) ? anything(rng) : ordinary(rng, type);
    }
  }
  return made;
}

/**
 * The engine's globals. Their numbers have fractions: the PDP reads others in its configuration as integers, which JavaScript
 * does not have.
 */
export function globals(rng) {
  const made = Object.entries(GLOBALS).map(([name, type]) => [
    name,
    type === "double" ? rng.pick([2.5, 0.5, -1.25, 99.75]) : ordinary(rng, type),
  ]);
  return Object.fromEntries(made.filter(() => rng.chance(0.85)));
}
