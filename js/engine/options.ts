/** What an engine is opened with. */

import { OptionsError } from "../errors.js";
import { unknownOption } from "../options-names.js";
import type { JwtOptions } from "../tokens/jwt-options.js";
import { JwtVerifier } from "../tokens/jwt-verifier.js";
import { type DecodeJWTPayload, decodedClaims, type TokenDecoder, verifiedClaims } from "./aux-data.js";
import type { DecisionLogEntry } from "./decision-log.js";
import { encodeJson } from "./encode.js";
import type { NativeOptions } from "./native.js";
import type { Value } from "./request.js";
import type { ValidationError } from "./result.js";

/** What becomes of requests whose attributes a schema refuses. */
export enum SchemaEnforcement {
  /** Attributes are not validated. */
  NONE = "none",
  /** Results tell what schemas refuse, and the rules decide. */
  WARN = "warn",
  /** Results tell what schemas refuse, and every action on the resource is denied. */
  REJECT = "reject",
}

/** Is given what schemas refuse in a request, each thing once. What it throws, the check throws or rejects with. */
export type ValidationFailedCallback = (validationErrors: ValidationError[]) => void;

/** Options of `Orthrus.open` and its siblings. All have the meaning they have in Cerbos. */
export interface Options {
  /** The policy version of requests that name none. Default: `"default"`. */
  defaultPolicyVersion?: string | undefined;
  /** The scope of requests that name none. Default: `""`. */
  defaultScope?: string | undefined;
  /** Whether a scope without a policy falls back to its nearest ancestor that has one. Default: `false`. */
  lenientScopeSearch?: boolean | undefined;
  /**
   * Whether an error in a condition denies the actions that depend on it. Default: `false`, as in Cerbos: the rule is skipped,
   * even if it is one that denies.
   */
  strictEvaluation?: boolean | undefined;
  /**
   * Whether attributes are validated against the JSON Schemas that resource policies name under `schemas`. Default: `"none"`, as
   * in Cerbos. With `"warn"` or `"reject"`, schemas that are missing or wrong refuse the policies; with `"none"` they are warned
   * of.
   */
  schemaEnforcement?: SchemaEnforcement | `${SchemaEnforcement}` | undefined;
  /**
   * What to do when schemas refuse attributes: throw a `ValidationFailed`, or call a function and go on. By default they are
   * only told in `validationErrors` of the result.
   */
  onValidationError?: "throw" | ValidationFailedCallback | undefined;
  /**
   * Is given an entry about every call, in the shape of Cerbos' decision log, before the call answers. What it throws, the check
   * throws or rejects with: no decision without its entry. Costs a few microseconds a call, and nothing when it is not set.
   */
  onDecision?: ((entry: DecisionLogEntry) => void) | undefined;
  /** What policies read as `globals` or `G`. */
  globals?: Record<string, Value> | undefined;
  /** The clock that `now()` reads, once a request. Default: the system's. For tests. */
  now?: (() => Date) | undefined;
  /**
   * How the tokens in `auxData` of requests are verified: key sets, as in Cerbos' configuration, or a verifier. Without it, and
   * without `decodeJWTPayload`, a request that carries a token is refused.
   */
  auxData?: AuxDataOptions | undefined;
  /**
   * Verifies the tokens in `auxData` and returns their claims, which policies read as they are: in place of `auxData`, for
   * tokens that are to be verified in another way.
   */
  decodeJWTPayload?: DecodeJWTPayload | undefined;
}

/** How what requests bring beside principal and resources is treated. */
export interface AuxDataOptions {
  jwt: JwtOptions | JwtVerifier;
}

/** Options after checking: what the addon takes, and what stays on this side. */
export interface CheckedOptions {
  /** JSON of `NativeOptions`. */
  native: string;
  now: (() => Date) | undefined;
  decodeToken: TokenDecoder | undefined;
  onValidationError: "throw" | ValidationFailedCallback | undefined;
  onDecision: ((entry: DecisionLogEntry) => void) | undefined;
}

type Kind = "string" | "boolean" | "object" | "function";

/** The type of each option; of `onValidationError` what it is beside `"throw"`. */
const KINDS: Record<keyof Options, Kind> = {
  defaultPolicyVersion: "string",
  defaultScope: "string",
  lenientScopeSearch: "boolean",
  strictEvaluation: "boolean",
  schemaEnforcement: "string",
  onValidationError: "function",
  onDecision: "function",
  globals: "object",
  now: "function",
  auxData: "object",
  decodeJWTPayload: "function",
};

/** Checks names and types; `others` are checked elsewhere, and let pass. Throws an `OptionsError`. */
export function checkOptions(options: Options = {}, others: readonly string[] = []): CheckedOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError("", "the options must be an object");
  }
  for (const [name, value] of Object.entries(options)) {
    if (others.includes(name)) {
      continue;
    }
    if (!Object.hasOwn(KINDS, name)) {
      throw new OptionsError(name, unknownOption(name, [...Object.keys(KINDS), ...others]));
    }
    const kind = KINDS[name as keyof Options];
    if (name === "onValidationError" && value === "throw") {
      continue;
    }
    if (value !== undefined && (typeof value !== kind || value === null || Array.isArray(value))) {
      const other = name === "onValidationError" ? ' or "throw"' : "";
      throw new OptionsError(name, `must be ${kind === "object" ? "an" : "a"} ${kind}${other}`);
    }
  }
  checkEnforcement(options.schemaEnforcement);
  const { now, auxData, decodeJWTPayload, onValidationError, onDecision, ...rest } = options;
  const native = Object.fromEntries(Object.entries(rest).filter(([name]) => !others.includes(name)));
  return {
    native: encodeNativeOptions(native as NativeOptions),
    now,
    decodeToken: decoder(auxData, decodeJWTPayload, now),
    onValidationError,
    onDecision,
  };
}

/** What becomes of the tokens of requests. */
function decoder(
  auxData: AuxDataOptions | undefined,
  decodeJWTPayload: DecodeJWTPayload | undefined,
  now: Options["now"],
): TokenDecoder | undefined {
  if (auxData === undefined) {
    return decodeJWTPayload && ((token, path) => decodedClaims(decodeJWTPayload, token, path));
  }
  if (decodeJWTPayload !== undefined) {
    throw new OptionsError("decodeJWTPayload", "is of no use beside auxData, which verifies tokens");
  }
  const unknown = Object.keys(auxData).find((name) => name !== "jwt");
  if (unknown !== undefined) {
    throw new OptionsError(`auxData.${unknown}`, unknownOption(unknown, ["jwt"]));
  }
  const { jwt } = auxData;
  const verifier = jwt instanceof JwtVerifier ? jwt : new JwtVerifier(withClock(jwt, now), "auxData.jwt");
  return (token, path) => verifiedClaims(verifier, token, path);
}

/** Tokens are judged by the clock of the engine, unless they have one of their own. */
function withClock(jwt: JwtOptions, now: Options["now"]): JwtOptions {
  return now === undefined || typeof jwt !== "object" || jwt === null ? jwt : { now, ...jwt };
}

function checkEnforcement(mode: string | undefined): void {
  const modes: string[] = Object.values(SchemaEnforcement);
  if (mode !== undefined && !modes.includes(mode)) {
    throw new OptionsError("schemaEnforcement", `must be one of ${modes.join(", ")}`);
  }
}

function encodeNativeOptions({ globals, ...scalars }: NativeOptions): string {
  const text = JSON.stringify(scalars);
  if (globals === undefined) {
    return text;
  }
  const json = encodeJson(globals, "globals", ({ path, problem, cause }) => new OptionsError(path, problem, { cause }));
  return `${text.slice(0, -1)}${text === "{}" ? "" : ","}"globals":${json}}`;
}
