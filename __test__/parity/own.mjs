/** This project's own tables of decisions and diagnostics as sets of policies with requests: `[suite, sets]` each. */

import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/lib/project.mjs";
import { EDGES, LOADS, REQUESTS } from "./edges.mjs";
import { filesOf, readArchive, readStore, set, setsOfExpression } from "./sets.mjs";

const tests = (...path) => inRoot("tests", ...path);

/** The archives of a suite. What is no policy and no schema says how they are loaded, and what is expected. */
function archives(folder) {
  return filesOf(tests(folder), ".txt").map(({ name, path }) => {
    const { "request.json": request, enforcement, evaluation, ...rest } = readArchive(path);
    const { "expected.json": _decisions, expected: _diagnostics, ...files } = rest;
    const options = {
      ...(enforcement === undefined ? {} : { schemaEnforcement: enforcement.trim() }),
      strictEvaluation: evaluation?.trim() === "strict",
    };
    return set(name, files, options, request === undefined ? [] : [JSON.parse(request)]);
  });
}

/** Conditions of which it is known whether they can fail, so that there are many kinds of warnings among them. */
function denials() {
  const conditions = readFileSync(tests("denials", "conditions.txt"), "utf8")
    .split("\n")
    .filter((line) => line.includes("  =>") && !line.startsWith("#"));
  const attr = { flag: true, x: 2, locked: "yes", a: 1, names: ["a"] };
  return conditions.flatMap((line) => {
    const [condition] = line.split("  =>");
    return setsOfExpression(condition, condition, { resource: { attr } });
  });
}

/** The policies of the examples and benchmarks. */
const samples = () => [set("policies", readStore(tests("..", "policies")))];

export function ownSuites() {
  return [
    ["tests/decisions", archives("decisions")],
    ["tests/diagnostics", archives("diagnostics")],
    ["tests/denials", denials()],
    ["policies/", samples()],
    [
      "edges",
      [...EDGES.flatMap(([expression, request]) => setsOfExpression(expression, expression, request)), ...LOADS],
    ],
    ["requests", REQUESTS],
  ];
}
