/** Collects disagreements, tells each kind once, and writes those that are to be looked at. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { minimise } from "./minimise.mjs";

/** What a disagreement is about: that of the same rules need not be told again. */
function signature({ kind, pdp, orthrus, action, set }) {
  const rule = set.files["doc.json"]?.resourcePolicy?.rules?.[Number(action)];
  if (rule !== undefined) {
    return rule.output.when.ruleActivated;
  }
  const shape = (text) => text.replaceAll(/"[^"]*"|\d+/g, "").slice(0, 160);
  return [kind, shape(pdp), shape(orthrus)].join("\n");
}

const expressionOf = ({ set, action }) =>
  set.files["doc.json"]?.resourcePolicy?.rules?.[action === undefined ? 0 : Number(action)]?.output.when.ruleActivated;

/** A disagreement as a case for `tests/decisions`, with what the PDP said. */
function archive({ set, request, kind, action, pdp, orthrus }) {
  const files = Object.entries(set.files).map(
    ([name, policy]) => `-- ${name} --\n${JSON.stringify(policy, null, 1)}\n`,
  );
  const asked = request === undefined ? "" : `-- request.json --\n${JSON.stringify(request, null, 1)}\n`;
  const told = [
    `${kind} ${action ?? ""}`,
    `options ${JSON.stringify(set.options)}`,
    `PDP:\n${pdp}`,
    `orthrus:\n${orthrus}`,
  ];
  return `${told.join("\n")}\n${files.join("")}${asked}`;
}

export class Report {
  #kinds = new Map();

  /** Takes a disagreement. */
  add(disagreement) {
    const key = signature(disagreement);
    if (this.#kinds.has(key)) {
      return;
    }
    this.#kinds.set(key, disagreement);
    const { kind, action = "", pdp, orthrus, request } = disagreement;
    const expression = expressionOf(disagreement);
    console.log(`\n${kind} ${action}${expression === undefined ? "" : `: ${expression}`}`);
    if (expression !== undefined && request !== undefined) {
      console.log(`  attr ${mentioned(expression, request)}`);
    }
    console.log(
      `  PDP:     ${pdp.replaceAll("\n", " | ").slice(0, 600)}\n  orthrus: ${orthrus.replaceAll("\n", " | ").slice(0, 600)}`,
    );
  }

  /** Writes what was found to a folder, those that differ in texts only at the end; the first few made small. */
  async write(folder, { binary, minimise: count }) {
    if (folder === undefined) {
      return;
    }
    mkdirSync(folder, { recursive: true });
    const isText = ({ kind }) => Number(kind === "text");
    const all = [...this.#kinds.values()].sort((a, b) => isText(a) - isText(b));
    for (const [index, disagreement] of all.entries()) {
      const name = `${String(index).padStart(3, "0")}-${disagreement.kind}.txt`;
      const small = index < count ? await minimise(binary, disagreement) : disagreement;
      writeFileSync(join(folder, name), archive(small));
    }
    console.log(`${all.length} kinds of disagreement in ${folder}`);
  }
}

/** The attributes that an expression names, as JSON. */
function mentioned(expression, { principal, resources }) {
  const pick = (prefix, attr = {}) =>
    Object.entries(attr)
      .filter(([name]) => new RegExp(`\\b${prefix}\\.attr(?:\\.\\??|\\[\\??")${name}\\b`).test(expression))
      .map(([name, value]) => `${prefix}.${name}=${JSON.stringify(value)}`);
  return [...pick("P", principal.attr), ...pick("R", resources[0].resource.attr)].join(" ");
}
