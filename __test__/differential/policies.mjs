/** Random sets of policies: `{files, options}`, where files are policies by path. */

import { globals } from "./attributes.mjs";
import { Expressions } from "./expressions.mjs";
import {
  ACTION_PATTERNS,
  ACTIONS,
  DERIVED_ROLES,
  KIND_PATTERNS,
  KINDS,
  PRINCIPALS,
  ROLE_PATTERNS,
  ROLES,
  SCOPES,
  VERSIONS,
} from "./names.mjs";

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

/** One set of policies in the making. */
class SetMaker {
  #rng;
  #files = {};
  /** `scopePermissions` by scope: the policies of a scope have to agree. */
  #permissions;
  #exported;

  constructor(rng) {
    this.#rng = rng;
    const permissions = [
      undefined,
      undefined,
      "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
      "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
    ];
    this.#permissions = Object.fromEntries(SCOPES.map((scope) => [scope, rng.pick(permissions)]));
  }

  make() {
    const rng = this.#rng;
    this.#exports();
    const sets = rng.times(rng.int(0, 2), (index) => this.#derivedRoles(`roles_${index}`));
    for (const kind of rng.sample(KINDS, rng.int(1, 3))) {
      for (const version of rng.sample(VERSIONS, rng.chance(0.3) ? 2 : 1)) {
        this.#chain((scope) => this.#resourcePolicy(kind, version, scope, sets));
      }
    }
    for (const principal of rng.sample(PRINCIPALS, rng.int(0, 2))) {
      const version = rng.chance(0.85) ? "default" : "v2";
      this.#chain((scope) => this.#principalPolicy(principal, version, scope));
    }
    for (const role of rng.sample([...ROLES, "auditor"], rng.chance(0.4) ? rng.int(1, 3) : 0)) {
      this.#rolePolicy(role);
    }
    return { files: this.#files, options: this.#options() };
  }

  #options() {
    const rng = this.#rng;
    return {
      strictEvaluation: rng.chance(0.3),
      lenientScopeSearch: rng.chance(0.3),
      ...(rng.chance(0.15) ? { defaultScope: rng.pick(["a", "a.b", "z"]) } : {}),
      ...(rng.chance(0.15) ? { defaultPolicyVersion: "v2" } : {}),
      globals: globals(rng),
    };
  }

  #add(path, body) {
    const extension = this.#rng.pick(["json", "yaml"]);
    this.#files[`${path.replaceAll(/[^\w.]/g, "_")}.${extension}`] = { apiVersion: "api.cerbos.dev/v1", ...body };
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

  #exports() {
    const rng = this.#rng;
    this.#exported = { constants: {}, variables: {} };
    if (rng.chance(0.4)) {
      const definitions = { shared_c: "shared", shared_n: 3 };
      this.#add("exports_constants", { exportConstants: { name: "shared_constants", definitions } });
      this.#exported.constants = { shared_c: "string", shared_n: "double" };
    }
    if (rng.chance(0.4)) {
      const expressions = new Expressions(rng, { invalid: 0, wrong: 0.01 });
      const types = Object.fromEntries(rng.times(3, (index) => [`shared_v${index}`, rng.pick(TYPES)]));
      const definitions = Object.fromEntries(
        Object.entries(types).map(([name, type]) => [name, expressions.make(type, 2)]),
      );
      this.#add("exports_variables", { exportVariables: { name: "shared_variables", definitions } });
      this.#exported.variables = types;
    }
  }

  /** The constants and variables of a policy: the fields for it, and expressions that know them. */
  #scope(runtime = false) {
    const rng = this.#rng;
    const fields = {};
    const constants = {};
    const variables = {};
    const picked = rng.sample(Object.entries(CONSTANTS), rng.chance(0.4) ? rng.int(1, 4) : 0);
    const imports = (kind) => Object.keys(this.#exported[kind]).length > 0 && rng.chance(0.5);
    if (picked.length > 0 || imports("constants")) {
      fields.constants = {};
      if (imports("constants")) {
        fields.constants.import = ["shared_constants"];
        Object.assign(constants, this.#exported.constants);
      }
      fields.constants.local = Object.fromEntries(picked.map(([name, [, value]]) => [name, value]));
      Object.assign(constants, Object.fromEntries(picked.map(([name, [type]]) => [name, type])));
    }
    if (rng.chance(0.45)) {
      const importing = imports("variables");
      if (importing) {
        Object.assign(variables, this.#exported.variables);
      }
      const local = {};
      for (const name of rng.sample(["v_a", "v_b", "v_c", "v_d"], rng.int(1, 4))) {
        const type = rng.pick(TYPES);
        local[name] = new Expressions(rng, { constants, variables, invalid: 0, wrong: 0.01, runtime }).make(
          type,
          rng.int(0, 2),
        );
        variables[name] = type;
      }
      fields.variables = { ...(importing ? { import: ["shared_variables"] } : {}), local };
    }
    const expressions = new Expressions(rng, { constants, variables, invalid: 0, wrong: 0.005, runtime });
    return { fields, expressions };
  }

  #condition(expressions, depth = 2) {
    const rng = this.#rng;
    if (depth === 0 || rng.chance(0.65)) {
      return { expr: expressions.make(rng.chance(0.97) ? "bool" : "dyn", rng.int(0, 2)) };
    }
    const of = rng.times(rng.int(1, 3), () => this.#condition(expressions, depth - 1));
    return { [rng.pick(["all", "any", "none"])]: { of } };
  }

  /** A condition and an output, each there or not. */
  #conditionAndOutput(expressions, conditional = 0.55) {
    const rng = this.#rng;
    const when = {};
    if (rng.chance(0.7)) {
      when.ruleActivated = expressions.make(rng.pick(TYPES), rng.int(0, 2));
    }
    if (rng.chance(0.5) || when.ruleActivated === undefined) {
      when.conditionNotMet = expressions.make(rng.pick(TYPES), rng.int(0, 2));
    }
    return {
      ...(rng.chance(conditional) ? { condition: { match: this.#condition(expressions) } } : {}),
      ...(rng.chance(0.35) ? { output: { when } } : {}),
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

  #derivedRoles(name) {
    const rng = this.#rng;
    const { fields, expressions } = this.#scope();
    const names = rng.sample(DERIVED_ROLES, rng.int(1, 3));
    const definitions = names.map((role) => ({
      name: role,
      parentRoles: rng.chance(0.2) ? ["*"] : rng.sample(ROLES, rng.int(1, 3)),
      ...(rng.chance(0.7) ? { condition: { match: this.#condition(expressions, 1) } } : {}),
    }));
    this.#add(name, { derivedRoles: { name, ...fields, definitions } });
    return { name, names };
  }

  #resourcePolicy(kind, version, scope, sets) {
    const rng = this.#rng;
    const imported = sets.length > 0 && rng.chance(0.7) ? rng.pick(sets) : undefined;
    const { fields, expressions } = this.#scope(imported !== undefined);
    const rules = rng.times(
      rng.weighted([
        [1, 0],
        [3, 2],
        [4, 4],
        [2, 6],
      ]),
      (index) => {
        const derivedRoles =
          imported !== undefined && rng.chance(0.45) ? rng.sample(imported.names, rng.int(1, 2)) : [];
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
      resourcePolicy: {
        resource: kind,
        version,
        ...this.#permissionsOf(scope),
        ...(imported === undefined ? {} : { importDerivedRoles: [imported.name] }),
        ...fields,
        rules,
      },
    });
  }

  #roles() {
    const rng = this.#rng;
    return [
      ...new Set([...rng.sample(ROLES, rng.int(0, 2)), rng.chance(0.3) ? rng.pick(ROLE_PATTERNS) : rng.pick(ROLES)]),
    ];
  }

  #principalPolicy(principal, version, scope) {
    const rng = this.#rng;
    const { fields, expressions } = this.#scope();
    let number = 0;
    const rules = rng.times(rng.int(0, 3), () => ({
      resource: rng.chance(0.4) ? rng.pick(KIND_PATTERNS) : rng.pick(KINDS),
      actions: rng.times(rng.int(1, 3), () => ({
        ...this.#name(number++),
        action: rng.chance(0.35) ? rng.pick(ACTION_PATTERNS) : rng.pick(ACTIONS),
        effect: this.#effect(),
        ...this.#conditionAndOutput(expressions, 0.65),
      })),
    }));
    this.#add(`principal_${principal}_${version}_${scope}`, {
      principalPolicy: { principal, version, ...this.#permissionsOf(scope), ...fields, rules },
    });
  }

  #rolePolicy(role) {
    const rng = this.#rng;
    const { fields, expressions } = this.#scope();
    const scope = rng.pick(SCOPES);
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
      rolePolicy: {
        role,
        ...(rng.chance(0.3) ? { version: rng.pick(VERSIONS) } : {}),
        ...(scope === "" ? {} : { scope }),
        ...(rng.chance(0.5) ? { parentRoles: rng.sample(ROLES, rng.int(1, 2)) } : {}),
        ...fields,
        rules,
      },
    });
  }
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
