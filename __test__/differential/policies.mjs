/** Random sets of policies: `{files, options}`, where files are policies by path. */

import { globals } from "./attributes.mjs";
import { Expressions } from "./expressions.mjs";
import {
  ACTION_PATTERNS,
  ACTIONS,
  CUSTOM_ROLES,
  DERIVED_ROLES,
  KIND_PATTERNS,
  KINDS,
  PRINCIPALS,
  ROLE_PATTERNS,
  ROLES,
  SCOPES,
  TOKENS,
  VERSIONS,
} from "./names.mjs";
import { schemaFiles } from "./schemas.mjs";

const TYPES = [
  "bool",
  "string",
  "int",
  "double",
  "list(string)",
  "map(string, int)",
  "timestamp",
  "optional(bool)",
  "dyn",
];

/** Constants by name, with their types: YAML numbers are doubles in expressions, whole ones as well. */
const CONSTANTS = {
  c_text: ["string", "ann"],
  c_number: ["double", 10],
  c_list: ["list(string)", ["a", "user"]],
  c_flag: ["bool", true],
  c_map: ["dyn", { a: 1, b: { c: [null, "x"] } }],
  c_null: ["null", null],
};

/** The only value that a role policy may have as well. */
const CONSENT = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";

/** Conditions on what tokens claim; see `requests.mjs`. */
const CLAIMS = [
  "has(request.auxData.jwt.sub)",
  "request.auxData.jwt.sub == P.id",
  "request.aux_data.jwt.level > 5",
  '"x" in request.auxData.jwt.aud',
  "request.auxData.jwt.nested.a.size() == 2",
  'timestamp(request.auxData.jwt.exp) > timestamp("2090-01-01T00:00:00Z")',
  "request.auxData.jwt.iat.startsWith('20')",
  "request.auxData.jwt.none == null",
  "size(request.auxData.jwt) > 3",
  ...TOKENS.map((name) => `request.auxData.jwts.${name}.claims.sub == P.id`),
  `"${TOKENS[0]}" in request.auxData.jwts`,
];

/** Conditions that most requests meet, so that many are allowed. */
const LIKELY = [
  "P.id != ''",
  "has(R.attr.s)",
  "size(P.roles) > 0",
  "R.attr.n == R.attr.n",
  "R.id != 'x' && has(P.attr.b)",
];

/** What a rule can put out beyond what `Expressions` makes: whole parts of a request. */
const WHOLES = ["request.auxData.jwt", "request.aux_data.jwts", "request.auxData", "P", "R", "R.attr", "G", "request"];

/** The expressions of a condition, in order. */
const leaves = (match) => ("expr" in match ? [match.expr] : Object.values(match)[0].of.flatMap(leaves));

/** One set of policies in the making. */
class SetMaker {
  #rng;
  #files = {};
  /** `scopePermissions` by scope: the policies of a scope have to agree. */
  #permissions;
  #exported;
  /** The conditions of rules, by their expressions. */
  #forms = new Map();
  /** URLs of schemas that policies may refer to. */
  #schemas;

  constructor(rng) {
    this.#rng = rng;
    const permissions = [undefined, undefined, "SCOPE_PERMISSIONS_OVERRIDE_PARENT", CONSENT];
    this.#permissions = Object.fromEntries(SCOPES.map((scope) => [scope, rng.pick(permissions)]));
  }

  make() {
    const rng = this.#rng;
    this.#exports();
    const options = this.#options();
    this.#schemas = this.#schemaReferences(options);
    const sets = [];
    for (const index of rng.sample([0, 1], rng.int(0, 2))) {
      const taken = sets.flatMap(({ names }) => names);
      sets.push(
        this.#derivedRoles(
          `roles_${index}`,
          DERIVED_ROLES.filter((role) => !taken.includes(role)),
        ),
      );
    }
    for (const kind of rng.sample(KINDS, rng.int(1, 3))) {
      for (const version of rng.sample(VERSIONS, rng.chance(0.3) ? 2 : 1)) {
        this.#chain((scope) => this.#resourcePolicy(kind, version, scope, sets));
      }
    }
    for (const principal of rng.sample(PRINCIPALS, rng.int(0, 2))) {
      const version = rng.chance(0.85) ? "default" : "v2";
      this.#chain((scope) => this.#principalPolicy(principal, version, scope));
    }
    const narrowed = rng.sample([...ROLES, ...CUSTOM_ROLES, ...CUSTOM_ROLES], rng.chance(0.45) ? rng.int(1, 4) : 0);
    for (const role of new Set(narrowed)) {
      for (const scope of rng.sample(SCOPES, rng.chance(0.75) ? 1 : 2)) {
        this.#rolePolicy(role, scope);
      }
    }
    return { files: this.#files, options };
  }

  /** Adds schemas to some sets. Where nothing is enforced they need not be in order. */
  #schemaReferences({ schemaEnforcement = "none" }) {
    const rng = this.#rng;
    if (rng.chance(schemaEnforcement === "none" ? 0.85 : 0.1)) {
      return [];
    }
    const { files, references } = schemaFiles(rng);
    Object.assign(this.#files, files);
    if (schemaEnforcement === "none") {
      this.#files["_schemas/broken.json"] = { type: "nothing" };
      references.push("cerbos:///missing.json", "cerbos:///broken.json");
    }
    return references;
  }

  #options() {
    const rng = this.#rng;
    return {
      strictEvaluation: rng.chance(0.3),
      lenientScopeSearch: rng.chance(0.3),
      ...(rng.chance(0.15) ? { defaultScope: rng.pick(["a", "a.b", "z"]) } : {}),
      ...(rng.chance(0.15) ? { defaultPolicyVersion: "v2" } : {}),
      ...(rng.chance(0.4) ? { schemaEnforcement: rng.pick(["warn", "reject"]) } : {}),
      globals: globals(rng),
    };
  }

  #add(path, body) {
    const rng = this.#rng;
    const extension = rng.pick(["json", "yaml"]);
    this.#files[`${path.replaceAll(/[^\w.]/g, "_")}.${extension}`] = {
      apiVersion: "api.cerbos.dev/v1",
      ...(rng.chance(0.1) ? { description: rng.pick(["", "Who may do what"]) } : {}),
      ...(rng.chance(0.1) ? { $schema: "https://api.cerbos.dev/latest/cerbos/policy/v1/Policy.schema.json" } : {}),
      ...(rng.chance(0.15) ? { metadata: this.#metadata() } : {}),
      ...(rng.chance(0.1) ? { disabled: rng.chance(0.15) } : {}),
      ...body,
    };
  }

  #metadata() {
    const rng = this.#rng;
    return {
      ...(rng.chance(0.5) ? { annotations: { team: "docs", note: "" } } : {}),
      ...(rng.chance(0.3) ? { sourceFile: "elsewhere.yaml" } : {}),
      ...(rng.chance(0.3) ? { storeIdentifier: "elsewhere" } : {}),
      ...(rng.chance(0.3) ? { hash: "12345" } : {}),
      ...(rng.chance(0.3) ? { sourceAttributes: { attributes: { a: 1, b: [true, null, { c: "d" }] } } } : {}),
    };
  }

  /** Policies for the scopes from the root inwards: a scope needs its parents. */
  #chain(make) {
    for (const scope of SCOPES.slice(
      0,
      this.#rng.weighted([
        [5, 1],
        [2, 2],
        [2, 3],
        [2, 4],
      ]),
    )) {
      make(scope);
    }
  }

  /** Exported constants and variables: for each set that can be imported, its names with their types. */
  #exports() {
    const rng = this.#rng;
    this.#exported = { constants: {}, variables: {} };
    for (const set of rng.sample(["shared", "other"], rng.int(0, 2))) {
      const definitions = { [`${set}_c`]: set, [`${set}_n`]: 3, [`${set}_m`]: { a: [1, null], b: { c: "x" } } };
      this.#add(`${set}_constants`, { exportConstants: { name: `${set}_constants`, definitions } });
      this.#exported.constants[`${set}_constants`] = {
        [`${set}_c`]: "string",
        [`${set}_n`]: "double",
        [`${set}_m`]: "dyn",
      };
    }
    for (const set of rng.sample(["shared", "other"], rng.int(0, 2))) {
      const variables = {};
      const definitions = {};
      for (const index of [0, 1, 2]) {
        const type = rng.pick(TYPES);
        const name = `${set}_v${index}`;
        definitions[name] = new Expressions(rng, { variables, invalid: 0, wrong: 0.003 }).make(type, 2);
        variables[name] = type;
      }
      this.#add(`${set}_variables`, { exportVariables: { name: `${set}_variables`, definitions } });
      this.#exported.variables[`${set}_variables`] = variables;
    }
  }

  /**
   * The constants and variables of a policy: the fields for it, the deprecated variables of the whole file, and expressions that
   * know them all.
   */
  #scope(runtime = false) {
    const rng = this.#rng;
    const imports = { constants: this.#imports("constants"), variables: this.#imports("variables") };
    const constants = { ...imports.constants.types };
    const variables = { ...imports.variables.types };
    const picked = rng.sample(Object.entries(CONSTANTS), rng.chance(0.4) ? rng.int(1, 4) : 0);
    Object.assign(constants, Object.fromEntries(picked.map(([name, [type]]) => [name, type])));
    const define = (names) => {
      const made = {};
      for (const name of names) {
        const type = rng.pick(TYPES);
        const known = { constants, variables, invalid: 0, wrong: 0.003, runtime };
        made[name] = new Expressions(rng, known).make(type, rng.int(0, 2));
        variables[name] = type;
      }
      return made;
    };
    const local = rng.chance(0.45) ? define(rng.sample(["v_a", "v_b", "v_c", "v_d"], rng.int(1, 4))) : {};
    const ofFile = rng.chance(0.12) ? define(rng.sample(["v_x", "v_y", "v_z"], rng.int(1, 2))) : {};
    const values = Object.fromEntries(picked.map(([name, [, value]]) => [name, value]));
    return {
      fields: {
        ...block("constants", imports.constants.names, values),
        ...block("variables", imports.variables.names, local),
      },
      top: Object.keys(ofFile).length > 0 ? { variables: ofFile } : {},
      expressions: new Expressions(rng, { constants, variables, invalid: 0, wrong: 0.002, runtime }),
    };
  }

  /** Some of the exported sets: what they are called, and the types of what they hold. */
  #imports(kind) {
    const exported = Object.entries(this.#exported[kind]);
    const taken = this.#rng.chance(0.5) ? this.#rng.sample(exported, this.#rng.int(1, 2)) : [];
    return { names: taken.map(([name]) => name), types: Object.assign({}, ...taken.map(([, types]) => types)) };
  }

  /**
   * A condition for a rule. Of the conditions of a set that have the same expressions in the same order, the PDP evaluates but one,
   * whether they stand in `all`, `any`, `none` or by themselves, and another one after each start
   * (tests/decisions/conditions_of_the_same_expressions.txt). So a set has them in one form.
   */
  #match(expressions) {
    const made = this.#condition(expressions);
    const expressionsOf = JSON.stringify(leaves(made));
    if (!this.#forms.has(expressionsOf)) {
      this.#forms.set(expressionsOf, made);
    }
    return this.#forms.get(expressionsOf);
  }

  #condition(expressions, depth = 2) {
    const rng = this.#rng;
    if (rng.chance(0.25)) {
      return { expr: rng.pick(rng.chance(0.25) ? CLAIMS : LIKELY) };
    }
    if (depth === 0 || rng.chance(0.65)) {
      return { expr: expressions.make(rng.chance(0.97) ? "bool" : "dyn", rng.int(0, 2)) };
    }
    const of = rng.times(rng.int(1, 3), () => this.#condition(expressions, depth - 1));
    return { [rng.pick(["all", "any", "none"])]: { of } };
  }

  /** A condition and an output, each there or not. */
  #conditionAndOutput(expressions, conditional = 0.55) {
    return {
      ...(this.#rng.chance(conditional) ? { condition: { match: this.#match(expressions) } } : {}),
      ...(this.#rng.chance(0.35) ? { output: this.#output(expressions) } : {}),
    };
  }

  /** The expressions of an output; `expr` is the deprecated form of `ruleActivated`. */
  #output(expressions) {
    const rng = this.#rng;
    const make = () => (rng.chance(0.05) ? rng.pick(WHOLES) : expressions.make(rng.pick(TYPES), rng.int(0, 2)));
    const when = {
      ...(rng.chance(0.7) ? { ruleActivated: make() } : {}),
      ...(rng.chance(0.5) ? { conditionNotMet: make() } : {}),
    };
    const isEmpty = Object.keys(when).length === 0;
    return {
      ...(isEmpty || rng.chance(0.1) ? { expr: make() } : {}),
      ...(isEmpty ? {} : { when }),
    };
  }

  #name(index) {
    return this.#rng.chance(0.5) ? { name: this.#rng.pick([`rule-${index}`, `Named.${index}`, `n@me_${index}`]) } : {};
  }

  #actions() {
    const rng = this.#rng;
    return [
      ...new Set([
        ...rng.sample(ACTIONS, rng.int(0, 3)),
        rng.chance(0.5) ? rng.pick(ACTION_PATTERNS) : rng.pick(ACTIONS),
      ]),
    ];
  }

  #effect() {
    return this.#rng.chance(0.65) ? "EFFECT_ALLOW" : "EFFECT_DENY";
  }

  #permissionsOf(scope) {
    const permissions = this.#permissions[scope];
    return {
      ...(scope === "" ? {} : { scope }),
      ...(permissions === undefined ? {} : { scopePermissions: permissions }),
    };
  }

  /** A set of derived roles, mostly of those that no other set has: a name that two sets define is of no use. */
  #derivedRoles(name, left) {
    const rng = this.#rng;
    const { fields, top, expressions } = this.#scope();
    const names = rng.sample(rng.chance(0.1) ? DERIVED_ROLES : left, rng.int(1, 2));
    const definitions = names.map((role) => ({
      name: role,
      parentRoles: rng.weighted([
        [2, ["*"]],
        [8, rng.sample([...ROLES, ...CUSTOM_ROLES], rng.int(1, 4))],
        [1, [rng.pick(ROLE_PATTERNS), rng.pick(ROLES)]],
      ]),
      ...(rng.chance(0.7) ? { condition: { match: this.#condition(expressions, 1) } } : {}),
    }));
    this.#add(name, { ...top, derivedRoles: { name, ...fields, definitions } });
    return { name, names };
  }

  #resourcePolicy(kind, version, scope, sets) {
    const rng = this.#rng;
    const imported = rng.chance(0.7)
      ? rng.sample(
          sets,
          rng.weighted([
            [3, 1],
            [1, 2],
          ]),
        )
      : [];
    const known = [...new Set(imported.flatMap(({ names }) => names))];
    const { fields, top, expressions } = this.#scope(known.length > 0);
    const rules = rng.times(
      rng.weighted([
        [1, 0],
        [3, 2],
        [4, 4],
        [2, 6],
      ]),
      (index) => {
        const derivedRoles = rng.chance(0.45) ? rng.sample(known, rng.int(1, 2)) : [];
        const roles = derivedRoles.length > 0 && rng.chance(0.6) ? [] : this.#roles();
        return {
          ...this.#name(index),
          actions: this.#actions(),
          ...(roles.length > 0 ? { roles } : {}),
          ...(derivedRoles.length > 0 ? { derivedRoles } : {}),
          effect: this.#effect(),
          ...this.#conditionAndOutput(expressions),
        };
      },
    );
    this.#add(`resource_${kind}_${version}_${scope}`, {
      ...top,
      resourcePolicy: {
        resource: kind,
        version,
        ...this.#permissionsOf(scope),
        ...(imported.length > 0 ? { importDerivedRoles: imported.map(({ name }) => name) } : {}),
        ...this.#schemasOf(),
        ...fields,
        rules,
      },
    });
  }

  /** Schemas for the attributes of principal and resource, each there or not, each with actions that it ignores or not. */
  #schemasOf() {
    const rng = this.#rng;
    if (this.#schemas.length === 0 || rng.chance(0.3)) {
      return {};
    }
    const actions = () => rng.times(rng.int(1, 3), () => rng.pick(rng.chance(0.5) ? ACTION_PATTERNS : ACTIONS));
    const schema = () => ({
      ref: rng.pick(this.#schemas),
      ...(rng.chance(0.3) ? { ignoreWhen: { actions: actions() } } : {}),
    });
    return {
      schemas: {
        ...(rng.chance(0.7) ? { principalSchema: schema() } : {}),
        ...(rng.chance(0.8) ? { resourceSchema: schema() } : {}),
      },
    };
  }

  #roles() {
    const rng = this.#rng;
    return [
      ...new Set([
        ...rng.sample([...ROLES, ...CUSTOM_ROLES], rng.int(0, 2)),
        rng.chance(0.3) ? rng.pick(ROLE_PATTERNS) : rng.pick(ROLES),
      ]),
    ];
  }

  #principalPolicy(principal, version, scope) {
    const rng = this.#rng;
    const { fields, top, expressions } = this.#scope();
    let number = 0;
    const rules = rng.sample([...KIND_PATTERNS, ...KINDS, ...KINDS], rng.int(0, 3)).map((resource) => ({
      resource,
      actions: rng.times(rng.int(1, 3), () => ({
        ...this.#name(number++),
        action: rng.chance(0.35) ? rng.pick(ACTION_PATTERNS) : rng.pick(ACTIONS),
        effect: this.#effect(),
        ...this.#conditionAndOutput(expressions, 0.65),
      })),
    }));
    this.#add(`principal_${principal}_${version}_${scope}`, {
      ...top,
      principalPolicy: { principal, version, ...this.#permissionsOf(scope), ...fields, rules },
    });
  }

  #rolePolicy(role, scope) {
    const rng = this.#rng;
    const { fields, top, expressions } = this.#scope();
    // The PDP remembers a condition by the rule's number among those of the same resource pattern: where two patterns fit one
    // kind, its answer depends on the order in which it loaded them. Hence conditions only where there is one pattern.
    const conditional = rng.chance(0.5);
    const patterns = [...KIND_PATTERNS, ...KINDS];
    const only = rng.pick(patterns);
    const rules = rng.times(rng.int(1, 3), (index) => {
      const { condition, output } = this.#conditionAndOutput(expressions);
      return {
        ...this.#name(index),
        resource: conditional ? only : rng.pick(patterns),
        allowActions: this.#actions(),
        ...(conditional ? { condition, output } : {}),
      };
    });
    this.#add(`role_${role}_${scope}`, {
      ...top,
      rolePolicy: {
        role,
        ...(rng.chance(0.3) ? { version: rng.pick(VERSIONS) } : {}),
        ...(scope === "" ? {} : { scope }),
        ...(rng.chance(0.05) ? { scopePermissions: CONSENT } : {}),
        ...(rng.chance(0.6) ? { parentRoles: rng.sample([...ROLES, ...CUSTOM_ROLES], rng.int(1, 3)) } : {}),
        ...fields,
        rules,
      },
    });
  }
}

/** `variables` or `constants` of a policy, if there are any. */
function block(field, names, local) {
  const made = {
    ...(names.length > 0 ? { import: names } : {}),
    ...(Object.keys(local).length > 0 ? { local } : {}),
  };
  return Object.keys(made).length > 0 ? { [field]: made } : {};
}

/** A set of policies with the options of its engine. */
export function policySet(rng) {
  return new SetMaker(rng).make();
}

/**
 * A policy with a rule for each expression, whose action is its number, and which puts out the value. `conditional` tells by
 * the number which rules have the expression as their condition as well.
 */
export function expressionPolicy(expressions, { conditional = (index) => index % 2 === 1 } = {}) {
  return {
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "doc",
      version: "default",
      rules: expressions.map((expr, index) => ({
        name: `e${index}`,
        actions: [String(index)],
        roles: ["*"],
        effect: "EFFECT_ALLOW",
        ...(conditional(index) ? { condition: { match: { expr } } } : {}),
        output: { when: { ruleActivated: expr, ...(conditional(index) ? { conditionNotMet: expr } : {}) } },
      })),
    },
  };
}
