/** The conformance suites that are decisions or diagnostics, as sets of policies with requests: `[suite, sets]` each. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CI, inRoot } from "../../scripts/lib/project.mjs";
import { filesOf, readArchive, readStore, set, setOfCondition, setsOfExpression } from "./sets.mjs";

const GLOBALS = { environment: "test" };
const ENFORCEMENTS = ["none", "warn", "reject"];

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The one document of a case, protojson written as YAML. */
const readYaml = (path) => parse(readFileSync(path, "utf8"), { merge: true, logLevel: "error" });

/** Where the corpora are; `undefined` after a line that says that they are missing. */
function locate() {
  const root = process.env.ORTHRUS_CONFORMANCE ?? inRoot("..", "shared", "conformance");
  if (existsSync(join(root, "cerbos"))) {
    return root;
  }
  if (CI) {
    throw new Error(`the conformance corpus is missing: ${root} (set ORTHRUS_CONFORMANCE)`);
  }
  console.log(`SKIPPED: no conformance corpus at ${root} (set ORTHRUS_CONFORMANCE)`);
  return undefined;
}

/** A version that was written without quotes is a text nonetheless. */
function party({ policyVersion, ...rest }) {
  return policyVersion === undefined ? rest : { ...rest, policyVersion: String(policyVersion) };
}

/** A `CheckInput` as a request. */
function request({ requestId, principal, resource, actions, auxData, aux_data = auxData }) {
  return {
    ...(requestId === undefined ? {} : { requestId }),
    includeMeta: true,
    principal: party(principal),
    resources: [{ resource: party(resource), actions }],
    ...(aux_data === undefined ? {} : { auxData: aux_data }),
  };
}

/** The inputs of all cases in a folder: as they stand, and all of a case as one request where they are of one principal. */
function inputsOf(folder) {
  return filesOf(folder, ".yaml").flatMap(({ path }) => readYaml(path).inputs.map(request));
}

function engineSuites(cerbos) {
  const store = readStore(join(cerbos, "store"));
  const of = (folder, name, options) =>
    set(name, store, { globals: GLOBALS, ...options }, inputsOf(join(cerbos, ...folder.split("/"))));
  const modes = [false, true].map((lenientScopeSearch) => ({ lenientScopeSearch }));
  return [
    ["engine", modes.map((mode) => of("engine", JSON.stringify(mode), mode))],
    ["engine_strict_scope_search", [of("engine_strict_scope_search", "strict", { lenientScopeSearch: false })]],
    ["engine_lenient_scope_search", [of("engine_lenient_scope_search", "lenient", { lenientScopeSearch: true })]],
    [
      "engine_schema_enforcement",
      ["warn", "reject"].flatMap((folder) =>
        ENFORCEMENTS.map((schemaEnforcement) =>
          of(`engine_schema_enforcement/${folder}`, `${folder}, by ${schemaEnforcement}`, { schemaEnforcement }),
        ),
      ),
    ],
  ];
}

function strictEvaluation(cerbos) {
  const folder = join(cerbos, "strict_evaluation");
  const store = readStore(join(folder, "policies"));
  const principal = { id: "sam", roles: ["user"] };
  const checks = readJson(join(folder, "check.json")).map(({ resource, wantActions }) => [
    resource,
    Object.keys(wantActions),
  ]);
  const plans = readJson(join(folder, "plan.json")).map(({ resource, action }) => [resource, [action]]);
  const requests = [...checks, ...plans].map(([resource, actions]) =>
    request({ principal, resource: { id: "1", ...resource }, actions }),
  );
  return [true, false].map((strictEvaluation) =>
    set(`strict ${strictEvaluation}`, store, { strictEvaluation }, requests),
  );
}

/** What plans are made of, asked as checks. */
function plannerPolicies(cerbos) {
  const folder = join(cerbos, "query_planner");
  const store = readStore(join(folder, "policies"));
  const suites = readdirSync(join(folder, "suite")).flatMap((name) => filesOf(join(folder, "suite", name), ".yaml"));
  const requests = suites.flatMap(({ path }) => {
    const { principal, tests } = readYaml(path);
    return tests.map(({ action, actions = [action], resource }) =>
      request({
        principal,
        resource: { id: "1", ...resource },
        actions,
        auxData: { jwt: { customInt: 42 } },
      }),
    );
  });
  return [false, true].map((lenientScopeSearch) =>
    set(`lenient ${lenientScopeSearch}`, store, { lenientScopeSearch, globals: GLOBALS }, requests),
  );
}

function schemaCases(cerbos) {
  const schemas = readStore(join(cerbos, "schema", "fs"));
  const cases = filesOf(join(cerbos, "schema", "test_cases"), ".yaml");
  return cases.flatMap(({ name, path }) => {
    const { schemaRefs, checkInput, planResourcesInput } = readYaml(path);
    const { action = "view", actions = [action], ...input } = checkInput ?? planResourcesInput;
    const asked = request({ ...input, resource: { id: "1", ...input.resource }, actions });
    const { kind, policyVersion } = asked.resources[0].resource;
    const rules = [{ actions: ["*"], roles: ["*"], effect: "EFFECT_ALLOW" }];
    const resourcePolicy = { resource: kind, version: policyVersion ?? "default", schemas: schemaRefs, rules };
    const policy = JSON.stringify({ apiVersion: "api.cerbos.dev/v1", resourcePolicy });
    return ENFORCEMENTS.map((schemaEnforcement) =>
      set(`${name}, by ${schemaEnforcement}`, { ...schemas, "policy.json": policy }, { schemaEnforcement }, [asked]),
    );
  });
}

function celEval(cerbos) {
  return filesOf(join(cerbos, "cel_eval"), ".yaml").map(({ name, path }) => {
    const { condition, request } = readYaml(path);
    return setOfCondition(name, condition, request);
  });
}

function celLib(cerbos) {
  return filesOf(join(cerbos, "cel_lib"), ".json").flatMap(({ name, path }) =>
    readJson(path).flatMap(({ expr }, index) => setsOfExpression(`${name}#${index}`, expr)),
  );
}

/** The expressions of which it is known what Cerbos does with them as they stand. */
function celSpec(root) {
  return filesOf(join(root, "cel-spec"), ".json").flatMap(({ name: file, path }) =>
    readJson(path).tests.flatMap(({ section, name, expr, cerbos }, index) =>
      cerbos === undefined ? [] : setsOfExpression(`${file}/${section}/${name}#${index}`, expr),
    ),
  );
}

function compileCases(cerbos) {
  const store = readStore(join(cerbos, "schema", "fs"));
  const schemas = Object.fromEntries(Object.entries(store).filter(([name]) => name.startsWith("_schemas/")));
  return filesOf(join(cerbos, "compile"), ".input").map(({ name, path }) =>
    set(name, { ...schemas, ...readArchive(path) }, { schemaEnforcement: "reject" }),
  );
}

const indexCases = (cerbos) =>
  filesOf(join(cerbos, "index"), ".yaml").map(({ name, path }) => set(name, readYaml(path).files));

const parserCases = (cerbos) =>
  filesOf(join(cerbos, "parser"), ".input").map(({ name, path }) =>
    set(name, { "policy.yaml": readFileSync(path, "utf8") }),
  );

/** Each by itself: the same policy in YAML and JSON would be a duplicate. */
function policyFormats(cerbos) {
  const store = readStore(join(cerbos, "policy_formats"));
  return Object.entries(store).map(([name, text]) => set(name, { [name]: text }));
}

/** Requests to the server, those that are wrong included. */
function serverChecks(cerbos) {
  const folder = join(cerbos, "server", "checks", "check_resources");
  const requests = filesOf(folder, ".yaml").map(({ path }) => JSON.stringify(readYaml(path).checkResources.input));
  return [set("all", readStore(join(cerbos, "store")), { schemaEnforcement: "reject" }, requests)];
}

/** Every suite of the corpora; none where they are missing. */
export function corpora() {
  const root = locate();
  if (root === undefined) {
    return [];
  }
  const cerbos = join(root, "cerbos");
  return [
    ...engineSuites(cerbos),
    ["strict_evaluation", strictEvaluation(cerbos)],
    ["query_planner, as checks", plannerPolicies(cerbos)],
    ["server/checks", serverChecks(cerbos)],
    ["schema", schemaCases(cerbos)],
    ["cel_eval", celEval(cerbos)],
    ["cel_lib", celLib(cerbos)],
    ["cel-spec", celSpec(root)],
    ["compile", compileCases(cerbos)],
    ["index", indexCases(cerbos)],
    ["parser", parserCases(cerbos)],
    ["policy_formats", policyFormats(cerbos)],
  ];
}
