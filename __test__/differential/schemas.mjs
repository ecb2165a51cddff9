/** Random JSON Schemas for the attributes that `attributes.mjs` describes. */

import { ATTRIBUTES } from "./attributes.mjs";
import { TEXTS } from "./texts.mjs";

/** Files below `_schemas` that hold whole schemas, for principals and resources alike. */
const ROOTS = ["principal.json", "resource.json", "parts/other.json"];

/** The file that the others refer to. */
const COMMON = "parts/common.json";

/** By the dialect: what a schema names itself, where it keeps definitions, and what it can say. */
const DIALECTS = [
  [6, { definitions: "$defs", modern: true, prefix: "prefixItems" }],
  [
    1,
    { url: "https://json-schema.org/draft/2020-12/schema", definitions: "$defs", modern: true, prefix: "prefixItems" },
  ],
  [1, { url: "https://json-schema.org/draft/2019-09/schema", definitions: "$defs", modern: true, prefix: "items" }],
  [1, { url: "http://json-schema.org/draft-07/schema#", definitions: "definitions", prefix: "items" }],
  [0.5, { url: "http://json-schema.org/draft-06/schema#", definitions: "definitions", prefix: "items" }],
  [0.5, { url: "http://json-schema.org/draft-04/schema#", definitions: "definitions", prefix: "items", flags: true }],
];

/** The names of JSON Schema's types for those of `attributes.mjs`; what is not here is a string. */
const TYPES = { double: "number", bool: "boolean", null: "null", list: "array", map: "object" };

const FORMATS = [
  ...["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid"],
  ...["json-pointer", "relative-json-pointer", "regex", "unknown-format"],
];

const FITTING = {
  time: "date-time",
  ip: "ipv4",
  re: "regex",
  regex: "regex",
  duration: "duration",
  path: "uri-reference",
};

const PATTERNS = ["^a", "[a-z]+$", "^.{0,3}$", "\\d", "^(user|ann)$", "\\p{L}", "^$"];

class SchemaMaker {
  #rng;
  #dialect;
  #definitions;

  constructor(rng, dialect, definitions) {
    this.#rng = rng;
    this.#dialect = dialect;
    this.#definitions = definitions;
  }

  /** Keywords for a value that mostly is of a type. */
  of(type, depth = 2) {
    const rng = this.#rng;
    if (rng.chance(0.04)) {
      return this.#trivial();
    }
    if (this.#definitions.length > 0 && rng.chance(0.1)) {
      return { $ref: rng.pick(this.#definitions) };
    }
    const head = type.split("(")[0];
    const name = TYPES[head] ?? "string";
    const made = {};
    if (rng.chance(0.6)) {
      made.type = rng.chance(0.2) ? [...new Set([name, rng.pick(["null", "integer", "boolean"])])] : name;
    }
    if (depth > 0 && rng.chance(0.12)) {
      Object.assign(made, this.#combined(type, depth - 1));
    }
    switch (name) {
      case "string":
        return Object.assign(made, this.#string(type));
      case "number":
        return Object.assign(made, this.#number());
      case "array":
        return Object.assign(made, this.#array(type.slice(head.length + 1, -1), depth));
      case "object":
        return Object.assign(made, this.#map(depth));
      default:
        return Object.assign(made, rng.chance(0.2) ? { enum: [true, null, "a"] } : {});
    }
  }

  /** A schema that accepts everything or nothing. The oldest dialect has no `true` and `false`. */
  #trivial() {
    const all = this.#rng.chance(0.7);
    return this.#dialect.flags ? (all ? {} : { not: {} }) : all;
  }

  #combined(type, depth) {
    const rng = this.#rng;
    const parts = (low) => rng.times(rng.int(low, 3), () => this.of(type, depth));
    const options = [
      () => ({ allOf: parts(1) }),
      () => ({ anyOf: parts(1) }),
      () => ({ oneOf: parts(1) }),
      () => ({ not: this.of(type, depth) }),
    ];
    if (this.#dialect.definitions === "$defs" || this.#dialect.url?.includes("draft-07")) {
      options.push(() => ({
        if: this.of(type, depth),
        // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
        ...(rng.chance(0.8) ? { then: this.of(type, depth) } : {}),
        ...(rng.chance(0.6) ? { else: this.of(type, depth) } : {}),
      }));
    }
    return rng.pick(options)();
  }

  #some(options) {
    const rng = this.#rng;
    const picked = rng.sample(
      Object.entries(options),
      rng.weighted([
        [3, 1],
        [2, 0],
        [1, 2],
      ]),
    );
    return Object.assign({}, ...picked.map(([name, make]) => ({ [name]: make() })));
  }

  #string(type) {
    const rng = this.#rng;
    return this.#some({
      minLength: () => rng.int(0, 4),
      maxLength: () => rng.int(1, 12),
      pattern: () => rng.pick(PATTERNS),
      enum: () => rng.sample(TEXTS[""], rng.int(2, 8)),
      format: () => (rng.chance(0.5) && FITTING[type] ? FITTING[type] : rng.pick(FORMATS)),
      ...(this.#dialect.flags ? {} : { const: () => rng.pick(TEXTS[""]) }),
    });
  }

  #number() {
    const rng = this.#rng;
    const limit = () => rng.pick([0, 1, -1, 2.5, 10, 100]);
    const exclusive = (side) =>
      this.#dialect.flags
        ? { [side]: limit(), [`exclusive${side[0].toUpperCase()}${side.slice(1)}`]: true }
        : undefined;
    const old = rng.chance(0.3) ? exclusive(rng.pick(["minimum", "maximum"])) : undefined;
    if (old !== undefined) {
      return old;
    }
    return this.#some({
      minimum: limit,
      maximum: limit,
      multipleOf: () => rng.pick([1, 2, 0.5, 0.1]),
      enum: () => rng.sample([0, 1, 2, 2.5, 10, "a"], rng.int(2, 5)),
      type: () => "integer",
      ...(this.#dialect.flags ? {} : { exclusiveMinimum: limit, exclusiveMaximum: limit }),
    });
  }

  #array(element, depth) {
    const rng = this.#rng;
    const inner = () => (depth > 0 ? this.of(element, depth - 1) : {});
    const { modern, prefix, flags } = this.#dialect;
    const made = this.#some({
      minItems: () => rng.int(0, 3),
      maxItems: () => rng.int(0, 3),
      uniqueItems: () => rng.chance(0.8),
      items: inner,
      ...(flags ? {} : { contains: inner }),
    });
    if (rng.chance(0.1)) {
      made[prefix] = rng.times(rng.int(1, 2), inner);
      if (prefix === "items" && rng.chance(0.5)) {
        made.additionalItems = this.#trivial();
      }
    }
    if (modern && made.contains !== undefined) {
      Object.assign(made, this.#some({ minContains: () => rng.int(0, 2), maxContains: () => rng.int(1, 2) }));
    }
    if (modern && rng.chance(0.08)) {
      made.unevaluatedItems = this.#trivial();
    }
    return made;
  }

  #map(depth) {
    const rng = this.#rng;
    const fields = { a: "string", b: "double", k: "bool", x: "map(string, dyn)", é: "string" };
    return this.object(rng.chance(0.7) ? Object.fromEntries(rng.sample(Object.entries(fields), 2)) : {}, depth - 1);
  }

  /** Keywords for an object that mostly has these fields. */
  object(fields, depth = 2) {
    const rng = this.#rng;
    const { modern, flags } = this.#dialect;
    const inner = (type) => (depth > 0 ? this.of(type, depth - 1) : {});
    const names = Object.keys(fields);
    const properties = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, inner(type)]));
    const some = () => rng.sample([...names, "missing"], rng.int(1, 2));
    const dependent = () => ({ [rng.pick([...names, "missing"])]: some() });
    return {
      ...(names.length > 0 ? { properties } : {}),
      ...this.#some({
        required: some,
        minProperties: () => rng.int(0, 3),
        maxProperties: () => rng.int(0, 30),
        patternProperties: () => ({ [rng.pick(PATTERNS)]: inner(rng.pick(["string", "double"])) }),
        additionalProperties: () => (rng.chance(0.5) ? rng.chance(0.4) : inner("string")),
        ...(flags ? {} : { propertyNames: () => inner("string") }),
        ...(modern ? { dependentRequired: dependent } : { dependencies: dependent }),
        ...(modern ? { dependentSchemas: () => ({ [rng.pick([...names, "b"])]: inner("map(string, dyn)") }) } : {}),
        ...(modern ? { unevaluatedProperties: () => this.#trivial() } : {}),
      }),
    };
  }
}

function root(rng, references) {
  const dialect = rng.weighted(DIALECTS);
  const own = [`#/${dialect.definitions}/text`, `#/${dialect.definitions}/number`];
  const maker = new SchemaMaker(rng, dialect, [...own, ...references]);
  const plain = new SchemaMaker(rng, dialect, []);
  const made = maker.object(Object.fromEntries(rng.sample(Object.entries(ATTRIBUTES), rng.int(2, 8))), 3);
  return {
    ...(dialect.url === undefined ? {} : { $schema: dialect.url }),
    ...(rng.chance(0.8) ? { type: "object" } : {}),
    ...made,
    [dialect.definitions]: { text: plain.of("string"), number: plain.of("double") },
  };
}

/** Schema files by path, and the URLs by which policies may refer to them. */
export function schemaFiles(rng) {
  const plain = new SchemaMaker(rng, DIALECTS[0][1], []);
  const common = {
    $defs: { text: plain.of("string"), list: plain.of("list(string)"), any: plain.of("map(string, dyn)") },
  };
  const names = Object.keys(common.$defs);
  const files = { [`_schemas/${COMMON}`]: common };
  for (const name of ROOTS) {
    const relative = name.startsWith("parts/") ? "common.json" : COMMON;
    const base = rng.chance(0.5) ? relative : `cerbos:///${COMMON}`;
    files[`_schemas/${name}`] = root(
      rng,
      names.map((definition) => `${base}#/$defs/${definition}`),
    );
  }
  return { files, references: [...ROOTS.map((name) => `cerbos:///${name}`), `cerbos:///${COMMON}#/$defs/any`] };
}
