/** What tokens are verified with: the options, checked. */

import { readFile } from "#platform";
import type { NativeJwtRules, NativeKeySource } from "../engine/native.js";
import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { type Duration, milliseconds, timeout } from "./duration.js";
import { keySetUrl } from "./jwks.js";
import type { RevocationList } from "./revocation.js";
import { type CheckedRevocation, checkRevocation, type RevocationOptions } from "./revocation-check.js";

/** An algorithm that can be verified. `none` is not one. */
export type JwtAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "EdDSA"
  | "Ed25519"
  | "HS256"
  | "HS384"
  | "HS512";

const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA Ed25519 HS256 HS384 HS512".split(" ");

/** Keys that an issuer publishes. */
export interface RemoteKeySetOptions {
  /** Where the JWK set is: an `https:` URL, or an `http:` URL of this machine. Redirects are not followed. */
  url: string | URL;
  /**
   * How long keys count as fresh. Default: what `Cache-Control` or `Expires` say, else an hour. In any case not less than
   * `cooldown`, and at most a day.
   */
  refreshInterval?: Duration | undefined;
  /** How long fetching may take. Default: 5 seconds. */
  timeout?: Duration | undefined;
  /** How long after a fetch an unknown `kid` does not make keys be fetched again. Default: 30 seconds. */
  cooldown?: Duration | undefined;
  /** How long keys that are no longer fresh are used while they cannot be fetched. Default: an hour. */
  staleIfError?: Duration | undefined;
}

/** Keys of our own. One of `file`, `data`, `jwks`, `secret`, or `pem` with a text. */
export interface LocalKeySetOptions {
  /** A file with a JWK set, a JWK, or with `pem: true` public keys in PEM. Read once. */
  file?: string | URL | undefined;
  /** What such a file would hold, in base64. */
  data?: string | undefined;
  /** Whether `file` or `data` hold PEM; or the PEM itself. Keys in PEM have no ids, and serve tokens of any `kid`. */
  pem?: boolean | string | undefined;
  /** A JWK set, or a JWK. */
  jwks?: object | undefined;
  /** A secret shared with the issuer, for `algorithms` that begin with `HS`; text counts as UTF-8. */
  secret?: string | Uint8Array | undefined;
}

/** Keys, and what the tokens that they sign must be like. */
export interface KeySetOptions {
  /** The name by which a request chooses the key set. */
  id: string;
  /** Keys that the issuer publishes; this or `local`. */
  remote?: RemoteKeySetOptions | undefined;
  /** Keys of our own. */
  local?: LocalKeySetOptions | undefined;
  /** What `iss` must be (one of them). Default: anything. */
  issuer?: string | readonly string[] | undefined;
  /** What must be in `aud` (one of them). Default: anything. */
  audience?: string | readonly string[] | undefined;
  /** The algorithms allowed. Default: all but those with a shared secret (`HS…`). */
  algorithms?: readonly JwtAlgorithm[] | undefined;
  /** Claims that must be there, and neither null nor empty, beside `exp`. */
  requiredClaims?: readonly string[] | undefined;
  /** By how much clocks may differ. Default: that of all key sets. */
  acceptableTimeSkew?: Duration | undefined;
  /** What `typ` may be, `"*"` for anything. Default: `JWT`, or no `typ`. */
  types?: readonly string[] | undefined;
  /** What is let pass although it should not. */
  insecure?: InsecureOptions | undefined;
}

/** Each is `false` by default. */
export interface InsecureOptions {
  /** Whether keys may lack `alg`: what they are made of then says which algorithms they serve. */
  optionalAlg?: boolean | undefined;
  /** Whether keys and tokens may lack `kid`: all keys are tried. */
  optionalKid?: boolean | undefined;
  /** Whether tokens may lack `exp`, and so be valid for ever. */
  optionalExp?: boolean | undefined;
}

/** What a verifier is made with. The names that Cerbos has in `auxData.jwt` mean what they mean there. */
export interface JwtOptions {
  keySets?: readonly KeySetOptions[] | undefined;
  /** By how much the clocks of issuer and verifier may differ. Default: 0. */
  acceptableTimeSkew?: Duration | undefined;
  /** Believe any signature and look at the times alone: for tokens that somebody else has verified. */
  disableVerification?: boolean | undefined;
  /** How many verified tokens are remembered, so that they need not be verified again. Default: 1,000; 0 for none. */
  cacheSize?: number | undefined;
  /** Finds out revoked tokens. Asked about every token, remembered or not. */
  revocation?: RevocationList | RevocationOptions | undefined;
  /** The clock. Default: the system's. For tests. */
  now?: (() => Date) | undefined;
}

/** Where to fetch keys, in milliseconds. */
export interface CheckedRemote {
  url: URL;
  refreshInterval: number | undefined;
  timeout: number;
  cooldown: number;
  staleIfError: number;
}

/** Keys to read, and the option that they come from. */
export interface CheckedLocal {
  source: NativeKeySource;
  keys: Uint8Array;
  path: string;
}

export interface CheckedKeySet {
  id: string;
  keys: CheckedRemote | CheckedLocal;
  /** JSON of `NativeJwtRules`. */
  rules: string;
  /** Milliseconds. */
  skew: number;
}

export interface CheckedJwtOptions {
  keySets: CheckedKeySet[];
  disableVerification: boolean;
  /** Of tokens that are not verified. */
  skew: number;
  cacheSize: number;
  revocation: CheckedRevocation | undefined;
  now: (() => Date) | undefined;
}

const OPTIONS = ["keySets", "acceptableTimeSkew", "disableVerification", "cacheSize", "revocation", "now"];
const KEY_SET = [
  "id",
  "remote",
  "local",
  "issuer",
  "audience",
  "algorithms",
  "requiredClaims",
  "acceptableTimeSkew",
  "types",
  "insecure",
];
const REMOTE = ["url", "refreshInterval", "timeout", "cooldown", "staleIfError"];
const LOCAL = ["file", "data", "pem", "jwks", "secret"];
const INSECURE = ["optionalAlg", "optionalKid", "optionalExp"];

const HOUR = 3_600_000;

const utf8 = new TextEncoder();

/** The key set that the options of `verify` name. Throws an `OptionsError`. */
export function checkKeySetId(options: unknown): string | undefined {
  if (!isRecord(options)) {
    throw new OptionsError("", "the options must be an object");
  }
  const { keySetId } = record(options, "", ["keySetId"]);
  if (keySetId !== undefined && typeof keySetId !== "string") {
    throw new OptionsError("keySetId", "must be a string");
  }
  return keySetId;
}

/** Checks names and values, and reads files. Throws an `OptionsError`; `path` is where the options stand. */
export function checkJwtOptions(options: unknown, path = ""): CheckedJwtOptions {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const given = record(options, path, OPTIONS);
  const skew = milliseconds(given["acceptableTimeSkew"], at("acceptableTimeSkew"), 0);
  const disableVerification = flag(given["disableVerification"], at("disableVerification"));
  const list = given["keySets"] ?? [];
  if (!Array.isArray(list)) {
    throw new OptionsError(at("keySets"), "must be a list");
  }
  const keySets = list.map((keySet, index) => checkKeySet(keySet, `${at("keySets")}[${index}]`, skew));
  keySets.forEach(({ id }, index) => {
    if (keySets.findIndex((other) => other.id === id) !== index) {
      throw new OptionsError(`${at("keySets")}[${index}].id`, `there is another key set ${JSON.stringify(id)}`);
    }
  });
  if (keySets.length === 0 && !disableVerification) {
    throw new OptionsError(at("keySets"), "must have a key set: without keys no token can be verified");
  }
  const { cacheSize = 1000, now } = given;
  if (!Number.isSafeInteger(cacheSize) || (cacheSize as number) < 0) {
    throw new OptionsError(at("cacheSize"), "must be a number of tokens");
  }
  if (now !== undefined && typeof now !== "function") {
    throw new OptionsError(at("now"), "must be a function");
  }
  return {
    keySets,
    disableVerification,
    skew,
    cacheSize: cacheSize as number,
    revocation: checkRevocation(given["revocation"], at("revocation")),
    now: now as (() => Date) | undefined,
  };
}

function checkKeySet(options: unknown, path: string, defaultSkew: number): CheckedKeySet {
  const given = record(options, path, KEY_SET);
  const { id, remote, local } = given;
  if (typeof id !== "string" || id === "") {
    throw new OptionsError(`${path}.id`, "must be a string that is not empty");
  }
  if ((remote === undefined) === (local === undefined)) {
    throw new OptionsError(path, "must have either remote or local");
  }
  const algorithms = strings(given["algorithms"], `${path}.algorithms`);
  const unknown = algorithms.find((name) => !ALGORITHMS.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(`${path}.algorithms`, `${JSON.stringify(unknown)} is none of ${ALGORITHMS.join(", ")}`);
  }
  if (remote !== undefined && algorithms.some((name) => name.startsWith("HS"))) {
    throw new OptionsError(`${path}.algorithms`, "a key set that others can read cannot have shared secrets (HS…)");
  }
  const insecure = record(given["insecure"] ?? {}, `${path}.insecure`, INSECURE);
  const insecurity = (name: string) => flag(insecure[name], `${path}.insecure.${name}`);
  const skew = milliseconds(given["acceptableTimeSkew"], `${path}.acceptableTimeSkew`, defaultSkew);
  const rules: NativeJwtRules = {
    issuer: strings(given["issuer"], `${path}.issuer`),
    audience: strings(given["audience"], `${path}.audience`),
    algorithms,
    requiredClaims: strings(given["requiredClaims"], `${path}.requiredClaims`),
    skew: skew / 1000,
    types: strings(given["types"], `${path}.types`),
    optionalAlg: insecurity("optionalAlg"),
    optionalKid: insecurity("optionalKid"),
    optionalExp: insecurity("optionalExp"),
  };
  const keys = local === undefined ? checkRemote(remote, `${path}.remote`) : checkLocal(local, `${path}.local`);
  return { id, keys, rules: JSON.stringify(rules), skew };
}

function checkRemote(options: unknown, path: string): CheckedRemote {
  const given = record(options, path, REMOTE);
  const { refreshInterval } = given;
  return {
    url: keySetUrl(given["url"], `${path}.url`),
    refreshInterval:
      refreshInterval === undefined ? undefined : milliseconds(refreshInterval, `${path}.refreshInterval`, HOUR),
    timeout: timeout(given["timeout"], `${path}.timeout`, 5000),
    cooldown: milliseconds(given["cooldown"], `${path}.cooldown`, 30_000),
    staleIfError: milliseconds(given["staleIfError"], `${path}.staleIfError`, HOUR),
  };
}

function checkLocal(options: unknown, path: string): CheckedLocal {
  const given = record(options, path, LOCAL);
  const { file, data, pem, jwks, secret } = given;
  if (pem !== undefined && typeof pem !== "boolean" && typeof pem !== "string") {
    throw new OptionsError(`${path}.pem`, "must be true, or the text of keys in PEM");
  }
  const pemText = typeof pem === "string" ? pem : undefined;
  const sources = Object.entries({ file, data, pem: pemText, jwks, secret }).filter(([, value]) => value !== undefined);
  const [name, value] = sources[0] ?? [];
  if (name === undefined || sources.length > 1) {
    throw new OptionsError(path, "must have one of file, data, jwks, secret, or pem with a text");
  }
  const at = `${path}.${name}`;
  const source = pem === true ? "pem" : "local";
  switch (name) {
    case "file":
      return { source, keys: readKeys(value, at), path: at };
    case "data":
      return { source, keys: fromBase64(value, at), path: at };
    case "pem":
      return { source: "pem", keys: utf8.encode(String(value)), path: at };
    case "jwks":
      return { source: "local", keys: utf8.encode(JSON.stringify(record(value, at))), path: at };
    default:
      if (typeof value === "string" || value instanceof Uint8Array) {
        return { source: "secret", keys: typeof value === "string" ? utf8.encode(value) : value.slice(), path: at };
      }
      throw new OptionsError(at, "must be a string or bytes");
  }
}

function readKeys(file: unknown, path: string): Uint8Array {
  if (typeof file !== "string" && !(file instanceof URL)) {
    throw new OptionsError(path, "must be a path or a file: URL");
  }
  try {
    return readFile(file);
  } catch (cause) {
    throw new OptionsError(path, `cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function fromBase64(data: unknown, path: string): Uint8Array {
  if (typeof data !== "string" || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)) {
    throw new OptionsError(path, "must be base64");
  }
  try {
    return Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  } catch (cause) {
    throw new OptionsError(path, "must be base64", { cause });
  }
}

/** An object that has no other properties than those known. */
function record(value: unknown, path: string, known?: string[]): Record<string, unknown> {
  if (!isRecord(value)) {
    throw new OptionsError(path, "must be an object");
  }
  const unknown = known && Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(path === "" ? unknown : `${path}.${unknown}`, unknownOption(unknown, known ?? []));
  }
  return value;
}

function flag(value: unknown, path: string): boolean {
  if (value !== undefined && typeof value !== "boolean") {
    throw new OptionsError(path, "must be a boolean");
  }
  return value ?? false;
}

/** A list of strings that are not empty; one string is a list of one. An empty list would let anything pass. */
function strings(value: unknown, path: string): string[] {
  if (value === undefined) {
    return [];
  }
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || !list.every((text) => typeof text === "string" && text !== "")) {
    throw new OptionsError(path, "must be a list of strings that are not empty");
  }
  if (list.length === 0 && !path.endsWith(".requiredClaims")) {
    throw new OptionsError(path, "must not be empty: leave it out to have the default");
  }
  return list;
}
