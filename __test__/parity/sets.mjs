/** What the readers of all suites share: sets of policies around conditions and expressions, and files in one text. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expressionPolicy } from "../differential/policies.mjs";

/** A set of a suite. */
export const set = (name, files, options = {}, requests = []) => ({ name, files, options, requests });

/** Files with an ending below a folder, in order: `{name, path}`, the name without the ending. */
export function filesOf(folder, ending) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ name: basename(name, ending), path: join(folder, name) }));
}

/** All texts below a folder by path, as a store has them. */
export function readStore(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8")]),
  );
}

/** Files in one text, each after a line `-- NAME --`; what stands before the first is a remark. */
export function readArchive(path) {
  const [, ...parts] = readFileSync(path, "utf8").split(/^-- (.+) --[ \t]*\r?\n/m);
  const files = {};
  for (let index = 0; index < parts.length; index += 2) {
    files[parts[index]] = parts[index + 1];
  }
  return files;
}

/** A request about one resource of the kind `doc`, with actions. */
const askDoc = (actions, { principal, resource, auxData } = {}) => ({
  includeMeta: true,
  principal: { id: "ann", roles: ["user"], ...principal },
  resources: [{ resource: { id: "1", ...resource, kind: "doc" }, actions }],
  ...(auxData === undefined ? {} : { auxData }),
});

/** Two sets for an expression: its value is put out, and it is a condition. A constant that fails is refused as a condition only. */
export function setsOfExpression(name, expression, request) {
  return [false, true].map((isCondition) =>
    set(
      `${name}${isCondition ? ", as condition" : ""}`,
      { "doc.json": JSON.stringify(expressionPolicy([expression], { conditional: () => isCondition })) },
      {},
      [askDoc(["0"], request)],
    ),
  );
}

/** A set for a condition, which a rule that allows and one that denies have. */
export function setOfCondition(name, match, request) {
  const rule = (action, effect) => ({ actions: [action], roles: ["*"], effect, condition: { match } });
  const rules = [
    rule("allow", "EFFECT_ALLOW"),
    rule("deny", "EFFECT_DENY"),
    { actions: ["deny"], roles: ["*"], effect: "EFFECT_ALLOW" },
  ];
  const policy = { apiVersion: "api.cerbos.dev/v1", resourcePolicy: { resource: "doc", version: "default", rules } };
  return set(name, { "doc.json": JSON.stringify(policy) }, {}, [askDoc(["allow", "deny"], request)]);
}
