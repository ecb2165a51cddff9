/** Random CEL expressions of a wanted type. What they read of a request is described by `attributes.mjs`. */

import { ATTRIBUTES, GLOBALS } from "./attributes.mjs";
import { FUNCTIONS, parameters } from "./signatures.mjs";
import { BAD, TEXTS } from "./texts.mjs";

const SIMPLE = ["string", "string", "int", "double", "bool", "uint", "timestamp", "duration", "bytes", "dyn"];
const ORDERED = ["string", "int", "uint", "double", "bool", "bytes", "timestamp", "duration"];
const NUMBERS = ["int", "uint", "double"];

const INTS = ["0", "1", "2", "3", "7", "-1", "-5", "10", "100", "9223372036854775807", "-9223372036854775808", "0x1F"];
const UINTS = ["0u", "1u", "2u", "7u", "100u", "18446744073709551615u", "0xFFu"];
const DOUBLES = ["0.0", "1.0", "-1.5", "3.14", "2.5", "1e300", "-0.0", "1e-7", "9007199254740993.0", "0.1"];
const BYTES = ['b""', 'b"a"', 'b"abc"', 'b"é"', 'b"\\xff\\x00"', "b'\\101'"];

/** What a request says of itself, by type. */
const FIELDS = {
  string: [
    "R.id",
    "R.kind",
    "P.id",
    "R.scope",
    "P.scope",
    "R.policyVersion",
    "P.policy_version",
    "request.principal.id",
  ],
  "list(string)": ["P.roles", "request.principal.roles"],
};

/**
 * Functions that decide by a condition. The PDP folds constants before it evaluates, and drops operands that are constants of
 * another kind there (`true && dyn(1)` is `true`, `dyn(1) ? 2 : 3` is 3), which is an error where nothing is constant: so a
 * condition shall not be a constant that only hides its type.
 */
const CONDITIONS = new Set(["_&&_", "_||_", "!_", "_?_:_"]);

/** Messages of protobuf by the type of the value that they become, with the field that holds it. */
const MESSAGES = {
  bool: [["BoolValue", "value", "bool"]],
  int: [
    ["Int32Value", "value", "int"],
    ["Int64Value", "value", "int"],
  ],
  uint: [
    ["UInt32Value", "value", "uint"],
    ["UInt64Value", "value", "uint"],
  ],
  double: [
    ["DoubleValue", "value", "double"],
    ["FloatValue", "value", "double"],
  ],
  string: [["StringValue", "value", "string"]],
  bytes: [["BytesValue", "value", "bytes"]],
  // Beyond the year 9999 the PDP sees an overflow where the literal is read, and none where it is only put out.
  timestamp: [
    ["Timestamp", "seconds", "int:small"],
    ["Timestamp", "nanos", "int"],
  ],
  duration: [
    ["Duration", "seconds", "int"],
    ["Duration", "nanos", "int"],
  ],
  "list(dyn)": [["ListValue", "values", "list(dyn)"]],
  "map(string, dyn)": [["Struct", "fields", "map(string, dyn)"]],
  dyn: [
    ["Value", "null_value", "int"],
    ["Value", "number_value", "double"],
    ["Value", "string_value", "string"],
    ["Value", "bool_value", "bool"],
    ["Value", "struct_value", "map(string, dyn)"],
    ["Value", "list_value", "list(dyn)"],
    ["ListValue", "values", "list(dyn)"],
    ["Int64Value", "value", "int"],
  ],
};

/** Conversions, and what stands between brackets: what the PDP carries out beforehand where it is constant. */
const CONVERSIONS = new Set(["int", "uint", "double", "bool", "string"]);
const INDEXES = new Set(["_[_]", "_[?_]"]);

/** Whether an expression reads neither the request nor a local variable. */
const isConstant = (text) => !/\b[RPGVC]\.|\brequest\b|(?<!\\)\b[kvxoe]\d/.test(text);

/** Functions by whether they give a type: `undefined`, or what their type parameters must be. */
function unify(pattern, type) {
  if (pattern === type) {
    return {};
  }
  if (pattern === "A" || pattern === "B") {
    return { [pattern]: type };
  }
  const [own, wanted] = [parameters(pattern), parameters(type)];
  const heads = [pattern, type].map((text) => text.split("(")[0]);
  if (own.length === 0 || own.length !== wanted.length || heads[0] !== heads[1]) {
    return undefined;
  }
  const bound = own.map((parameter, index) => unify(parameter, wanted[index]));
  return bound.includes(undefined) ? undefined : Object.assign({}, ...bound);
}

const byResult = new Map();

/** All functions whose result can have a type. */
function functionsFor(type) {
  let found = byResult.get(type);
  if (found === undefined) {
    found = FUNCTIONS.flatMap((candidate) => {
      const bound = unify(candidate.result, type);
      return bound === undefined ? [] : [{ ...candidate, bound }];
    });
    byResult.set(type, found);
  }
  return found;
}

/**
 * Makes expressions. `variables` and `constants` are the names in scope with their types; `wrong` is how likely a type is not
 * the one that is needed, and `invalid` how likely a literal is one that does not parse. With `constantsFail` a constant may
 * be one that fails: orthrus refuses conditions with such a constant, and the PDP passes over their rules.
 */
export class Expressions {
  #rng;
  #locals = [];
  #variables;
  #constants;
  #wrong;
  #invalid;
  #runtime;
  #constantsFail;

  constructor(
    rng,
    { variables = {}, constants = {}, wrong = 0.02, invalid = 0.05, runtime = false, constantsFail = false } = {},
  ) {
    this.#rng = rng;
    this.#variables = Object.entries(variables);
    this.#constants = Object.entries(constants);
    this.#wrong = wrong;
    this.#invalid = invalid;
    this.#runtime = runtime;
    this.#constantsFail = constantsFail;
  }

  /** An expression of a type (with or without a hint), at most so many calls deep. */
  make(type, depth) {
    const rng = this.#rng;
    if (rng.chance(this.#wrong)) {
      return this.make(rng.pick([...SIMPLE, "null", "list(string)", "map(string, int)"]), Math.min(depth, 1));
    }
    if (rng.chance(this.#wrong)) {
      return `${rng.pick(["R", "P"])}.attr.${rng.pick(Object.keys(ATTRIBUTES))}`;
    }
    const [plain, hint] = type.startsWith("string:") || type.startsWith("int:") ? type.split(":") : [type, undefined];
    if (plain === "number") {
      return this.make(rng.pick(NUMBERS), depth);
    }
    const named = this.#named(plain);
    if (named.length > 0 && rng.chance(depth > 0 ? 0.15 : 0.5)) {
      return rng.pick(named);
    }
    if (depth <= 0 || (hint !== undefined && rng.chance(0.85))) {
      return this.#leaf(plain, hint);
    }
    return rng.weighted([
      [6, () => this.#call(plain, depth)],
      [3, () => this.#macro(plain, depth)],
      [plain in MESSAGES ? 0.4 : 0, () => this.#message(plain, depth)],
      [2, () => this.#leaf(plain, hint)],
    ])();
  }

  /** Names in scope that hold a type. */
  #named(type) {
    const fits = ([, of]) => of === type || of === "dyn";
    return [
      ...this.#locals.filter(fits).map(([name]) => name),
      ...this.#variables.filter(fits).map(([name]) => this.#rng.pick([`V.${name}`, `variables.${name}`])),
      ...this.#constants.filter(fits).map(([name]) => this.#rng.pick([`C.${name}`, `constants.${name}`])),
    ];
  }

  #call(type, depth) {
    const rng = this.#rng;
    const candidates = functionsFor(type === "dyn" ? rng.pick(SIMPLE) : type);
    if (candidates.length === 0) {
      return this.#leaf(type);
    }
    // Functions that give any type are many; those that give just this one shall not drown in them.
    const specific = candidates.filter(({ bound }) => Object.keys(bound).length === 0);
    const chosen = specific.length > 0 && rng.chance(0.75) ? rng.pick(specific) : rng.pick(candidates);
    const bound = { ...chosen.bound };
    const instance = (pattern) =>
      pattern.replace(/\b(?:A|B|ordered)\b/g, (name) => {
        bound[name] ??= name === "ordered" ? rng.pick(ORDERED) : rng.pick(SIMPLE);
        return bound[name];
      });
    const make = (pattern) => {
      const made = this.make(instance(pattern), depth - 1);
      if (isConstant(made)) {
        const hides = pattern === "bool" && CONDITIONS.has(chosen.name) && /\bdyn\(|google\.protobuf/.test(made);
        const fails =
          !this.#constantsFail && (CONVERSIONS.has(chosen.name) || (INDEXES.has(chosen.name) && made.includes("dyn(")));
        return hides ? "R.attr.b" : fails ? "R.attr.num" : made;
      }
      return made;
    };
    const receiver = chosen.receiver === undefined ? undefined : make(chosen.receiver);
    return write(chosen.name, receiver, chosen.args.map(make));
  }

  /** A literal of a message that becomes a value of a type, now and then with a field that is optional or set twice. */
  #message(type, depth) {
    const rng = this.#rng;
    const [name, field, of] = rng.pick(MESSAGES[type]);
    const one = () =>
      rng.chance(0.1)
        ? `?${field}: ${this.make(`optional(${of})`, depth - 1)}`
        : `${field}: ${this.make(of, depth - 1)}`;
    return `google.protobuf.${name}{${rng.chance(0.1) ? "" : one()}}`;
  }

  #macro(type, depth) {
    const rng = this.#rng;
    const options = [() => this.#bind(type, depth)];
    const [element, value] = parameters(type);
    if (type === "bool") {
      const quantifiers = () => this.#quantifier(depth);
      options.push(quantifiers, quantifiers, quantifiers, () => this.#has());
      options.push(() => `type(${this.make(rng.pick(SIMPLE), depth - 1)}) == ${rng.pick(TYPES)}`);
      options.push(() => this.#reference());
    } else if (type.startsWith("list(")) {
      options.push(
        () =>
          this.#comprehension(
            `list(${rng.pick(SIMPLE)})`,
            depth,
            ["map", "map?", "transformList", "transformList?"],
            element,
          ),
        () => this.#comprehension(type, depth, ["filter"], "bool"),
        () => this.#comprehension(type, depth, ["sortBy"], rng.pick(ORDERED)),
      );
    } else if (type.startsWith("map(")) {
      const macros = ["transformMap", "transformMap?", "transformMapEntry"];
      options.push(() => this.#comprehension(`map(string, ${rng.pick(SIMPLE)})`, depth, macros, value));
    } else if (type.startsWith("optional(")) {
      options.push(
        () => this.#optional("optMap", element, depth),
        () => this.#optional("optFlatMap", type, depth),
        () => this.#optionalSelect(element, depth),
      );
    } else if (type === "string") {
      options.push(
        () => this.#format(depth),
        () => this.#format(depth),
      );
    }
    return rng.pick(options)();
  }

  /** Makes an expression in which a new local variable has a type. */
  #within(locals, make) {
    const before = this.#locals;
    this.#locals = [...before, ...locals];
    const made = make();
    this.#locals = before;
    return made;
  }

  #fresh(stem) {
    return `${stem}${this.#locals.length}`;
  }

  #bind(type, depth) {
    const rng = this.#rng;
    const name = this.#fresh("x");
    const of = rng.pick(SIMPLE);
    const body = this.#within([[name, of]], () => this.make(type, depth - 1));
    return `cel.bind(${name}, ${this.make(of, depth - 1)}, ${body})`;
  }

  #quantifier(depth) {
    const rng = this.#rng;
    const element = rng.pick(SIMPLE);
    const overMap = rng.chance(0.25);
    const range = this.#range(overMap ? `map(string, ${element})` : `list(${element})`, depth);
    const [first, second] = [this.#fresh("k"), this.#fresh("v")];
    if (rng.chance(0.3)) {
      const locals = [
        [first, overMap ? "string" : "int"],
        [second, element],
      ];
      const body = this.#within(locals, () => this.make("bool", depth - 1));
      return `${range}.${rng.pick(["all", "exists", "existsOne", "exists_one"])}(${first}, ${second}, ${body})`;
    }
    const body = this.#within([[first, overMap ? "string" : element]], () => this.make("bool", depth - 1));
    return `${range}.${rng.pick(["all", "exists", "exists_one"])}(${first}, ${body})`;
  }

  /**
   * What a macro runs over. The PDP folds some macros over constants to null (`[1].filter(x, false)`, `{"a": 1}.all(k, true)`),
   * so the range shall not be constant.
   */
  #range(type, depth) {
    const range = this.make(type, depth - 1);
    return `(R.kind == "" ? ${type.startsWith("map(") ? "{}" : "[]"} : ${range})`;
  }

  /** A macro over a range. A `?` in its name stands for the form that filters as well. */
  #comprehension(range, depth, macros, result) {
    const rng = this.#rng;
    const macro = rng.pick(macros);
    const name = macro.replace("?", "");
    const of = parameters(range).at(-1);
    const two = name.startsWith("transform");
    const [first, second] = [this.#fresh("k"), this.#fresh("v")];
    const locals = two
      ? [
          [first, range.startsWith("map(") ? "string" : "int"],
          [second, of],
        ]
      : [[first, of]];
    const target = this.#range(range, depth);
    return this.#within(locals, () => {
      const filter = macro.endsWith("?") ? [this.make("bool", depth - 1)] : [];
      const body = this.make(result, depth - 1);
      const last = name === "transformMapEntry" ? `{${first}: ${body}}` : body;
      return `${target}.${name}(${[...locals.map(([local]) => local), ...filter, last].join(", ")})`;
    });
  }

  #optional(macro, result, depth) {
    const of = this.#rng.pick(SIMPLE);
    const name = this.#fresh("o");
    const target = this.make(`optional(${of})`, depth - 1);
    const body = this.#within([[name, of]], () => this.make(result, depth - 1));
    return `${target}.${macro}(${name}, ${body})`;
  }

  /** Fields and elements of attributes, each of which may be optional. */
  #chain() {
    const rng = this.#rng;
    const step = () => {
      const optional = rng.chance(0.5) ? "?" : "";
      const name = rng.pick(["m", "mm", "lm", "ls", "x", "y", "a", "id", "missing", "z", "tags"]);
      return rng.weighted([
        [4, `.${optional}${name}`],
        [2, `[${optional}${JSON.stringify(name)}]`],
        [2, `[${optional}${rng.pick(["0", "1", "-1", "1u", "0.0", "1.5", "true", "R.attr.n", "R.attr.s"])}]`],
      ]);
    };
    return `${rng.pick(["R", "P"])}.attr.?${rng.pick(["m", "mm", "lm", "ls", "z", "missing"])}${rng.times(rng.int(0, 4), step).join("")}`;
  }

  #optionalSelect(type, depth) {
    return this.#rng.pick([
      () => this.#chain(),
      () => this.#chain(),
      () => `R.attr.?${this.#rng.pick(["s", "n", "missing", "z"])}`,
      () => `R.attr.?m.${this.#rng.pick(["a", "b", "missing"])}`,
      () => `R.attr.m[?${JSON.stringify(this.#rng.pick(TEXTS.key))}]`,
      () => `{${JSON.stringify(this.#rng.pick(TEXTS.key))}: ${this.make(type, depth - 1)}}.?k`,
    ])();
  }

  #format(depth) {
    const rng = this.#rng;
    const clauses = rng.times(rng.int(0, 3), () =>
      rng.pick([
        ["%s", SIMPLE],
        ["%s", ["list(string)", "map(string, int)", "bool", "double"]],
        ["%d", ["int", "uint", "double"]],
        ["%.2f", ["double", "int"]],
        ["%f", ["double"]],
        ["%e", ["double"]],
        ["%.3e", ["double", "uint"]],
        ["%x", ["int", "uint", "string", "bytes"]],
        ["%X", ["int", "string"]],
        ["%o", ["int", "uint"]],
        ["%b", ["int", "bool", "uint"]],
        ["%%", []],
      ]),
    );
    const args = clauses
      .filter(([, types]) => types.length > 0)
      .map(([, types]) => this.make(rng.pick(types), depth - 1));
    return `${JSON.stringify(clauses.map(([clause]) => `<${clause}>`).join(" "))}.format([${args.join(", ")}])`;
  }

  #has() {
    const rng = this.#rng;
    const [base, shape] = rng.pick([
      ["R.attr", ATTRIBUTES],
      ["P.attr", ATTRIBUTES],
      ["R.attr.m", { a: "", b: "", missing: "" }],
      ["G", GLOBALS],
    ]);
    return `has(${base}.${rng.pick([...Object.keys(shape), "missing"])})`;
  }

  /** What policies ask most: an attribute of one side compared to something. */
  #reference() {
    const rng = this.#rng;
    const options = [
      () => `R.attr.s == P.attr.s`,
      () => `P.id == R.attr.s`,
      () => `R.attr.s in P.attr.ls`,
      () => `"user" in P.roles`,
      () => `R.attr.n > ${rng.pick(["1", "2.5", "10"])}`,
      () => `R.attr.z == null`,
      () => `R.attr.lm.exists(e, e.id == P.id)`,
      () => `R.attr.mm.x.y == ${this.#text("")}`,
      () => `R.attr.missing == P.attr.missing`,
      () => `R.attr["s"] != ""`,
      () => `request.auxData.jwt.sub == P.id`,
    ];
    if (this.#runtime) {
      const held = () => `${this.#text("role")} in runtime.effectiveDerivedRoles`;
      options.push(held, held, () => `size(runtime.effectiveDerivedRoles) > ${rng.int(0, 2)}`);
    }
    return rng.pick(options)();
  }

  #leaf(type, hint) {
    const rng = this.#rng;
    const [first, value] = parameters(type);
    const fields = FIELDS[type] ?? [];
    if (fields.length > 0 && hint === undefined && rng.chance(0.3)) {
      return rng.pick(fields);
    }
    const attributes = attributesOf(type, hint);
    if (attributes.length > 0 && rng.chance(0.45)) {
      return rng.pick(attributes);
    }
    switch (type.split("(")[0]) {
      case "bool":
        return rng.chance(0.5) ? this.#reference() : rng.pick(["true", "false"]);
      case "int":
        return literal(hint === "small" ? String(rng.int(-1, 5)) : rng.pick(INTS));
      case "uint":
        return rng.pick(UINTS);
      case "double":
        return literal(rng.pick(DOUBLES));
      case "string":
        return this.#text(hint ?? "");
      case "bytes":
        return rng.pick(BYTES);
      case "null":
        return "null";
      case "timestamp":
        return rng.chance(0.2) ? `timestamp(R.attr.t)` : `timestamp(${this.#text("time")})`;
      case "duration":
        return rng.chance(0.2) ? `duration(R.attr.d)` : `duration(${this.#text("duration")})`;
      case "list":
        return `[${rng.times(rng.int(0, 3), () => this.make(first, 0)).join(", ")}]`;
      case "map":
        return `{${rng
          .sample(["a", "b", "k", "é"], rng.int(0, 3))
          .map((key) => `${JSON.stringify(key)}: ${this.make(value, 0)}`)
          .join(", ")}}`;
      case "optional":
        return rng.chance(0.3) ? "optional.none()" : `optional.of(${this.make(first, 0)})`;
      case "hierarchy":
        return `hierarchy(${this.#text("dotted")})`;
      case "ip":
        return `ip(${this.make("string:ip", 0)})`;
      case "cidr":
        return `cidr(${this.make("string:cidr", 0)})`;
      case "spiffe_id":
        return `spiffeID(${this.make("string:spiffe", 0)})`;
      case "spiffe_trust_domain":
        return `spiffeTrustDomain(${this.make("string:trustdomain", 0)})`;
      case "spiffe_matcher":
        return rng.pick(["spiffeMatchAny()", `spiffeMatchExact(${this.make("string:spiffe", 0)})`]);
      default:
        return rng.chance(0.5) ? this.make(rng.pick(SIMPLE.slice(0, -1)), 0) : `dyn(${this.make("string", 0)})`;
    }
  }

  /** A string literal in one of the ways to write it. */
  #text(hint) {
    const rng = this.#rng;
    const pool =
      hint === "role"
        ? ["owner", "peer", "boss"]
        : TEXTS[BAD.has(hint) && rng.chance(this.#invalid) ? `bad${hint}` : hint];
    const text = rng.pick(pool);
    const raw = /^[^"'\\\n]*$/.test(text);
    return rng.weighted([
      [6, JSON.stringify(text)],
      [1, raw ? `'${text}'` : JSON.stringify(text)],
      [1, !/["\n]/.test(text) && !text.endsWith("\\") ? `r"${text}"` : JSON.stringify(text)],
    ]);
  }
}

const TYPES = [
  "int",
  "string",
  "double",
  "bool",
  "list",
  "map",
  "null_type",
  "timestamp",
  "google.protobuf.Timestamp",
  "bytes",
  "uint",
];

/** A number literal that a member call can follow. */
const literal = (text) => (text.startsWith("-") ? `(${text})` : text);

function attributesOf(type, hint) {
  const wanted = hint ?? type;
  const fields = (base, shape) =>
    Object.entries(shape)
      .filter(([, of]) => of === wanted || type === "dyn" || (hint !== undefined && of === type && hint !== "key"))
      .map(([name]) => `${base}.${name}`);
  return [...fields("R.attr", ATTRIBUTES), ...fields("P.attr", ATTRIBUTES), ...fields("G", GLOBALS)];
}

function write(name, receiver, args) {
  if (receiver !== undefined) {
    return `${receiver}.${name}(${args.join(", ")})`;
  }
  switch (name) {
    case "_[_]":
      return `${args[0]}[${args[1]}]`;
    case "_[?_]":
      return `${args[0]}[?${args[1]}]`;
    case "_?_:_":
      return `(${args[0]} ? ${args[1]} : ${args[2]})`;
    case "-_":
      return `(-(${args[0]}))`;
    case "!_":
      return `!(${args[0]})`;
    default: {
      const operator = /^_(.+)_$/.exec(name)?.[1];
      return operator === undefined ? `${name}(${args.join(", ")})` : `(${args[0]} ${operator} ${args[1]})`;
    }
  }
}

/** The expression with a token too many, too few, or another one: mostly no expression any more. */
export function broken(rng, text) {
  const tokens = text.match(/[rb]?"(?:[^"\\\n]|\\.)*"|\w+|&&|\|\||[=!<>]=|\s+|./gsu) ?? [];
  const at = rng.int(0, tokens.length - 1);
  const other = rng.pick([
    ")",
    "(",
    "]",
    "[",
    "}",
    "{",
    ",",
    ".",
    ":",
    "?",
    "*",
    "&",
    "|",
    "=",
    "x",
    "1",
    "in",
    "@",
    "'",
  ]);
  const made = rng.pick([[], [tokens[at], other], [other, tokens[at]], [other], [tokens[at], tokens[at]]]);
  return tokens
    .toSpliced(at, 1, ...made)
    .join("")
    .trim();
}

/** A type to make an expression of, so that every function gets its turn. */
export function anyType(rng) {
  return rng.weighted([
    [6, "bool"],
    [4, "string"],
    [3, "int"],
    [2, "double"],
    [1, "uint"],
    [1, "bytes"],
    [1, "timestamp"],
    [1, "duration"],
    [2, `list(${rng.pick(SIMPLE)})`],
    [1, `map(string, ${rng.pick(SIMPLE)})`],
    [1, `optional(${rng.pick(SIMPLE)})`],
    [1, "dyn"],
    [0.3, rng.pick(["hierarchy", "ip", "cidr", "spiffe_id", "spiffe_trust_domain"])],
  ]);
}
