/**
 * Everything this package throws or rejects with. Tell errors apart by `code`: it is stable, and it works where two copies of
 * the package meet and `instanceof` does not.
 */

import type { ValidationError } from "./engine/result.js";

/** A place in a policy file that takes part in a {@link Diagnostic}. Lines and columns count from 1. */
export interface DiagnosticPlace {
  /** The file, relative to the directory that was opened, or the name given to `fromFiles`. */
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  /** The line of the file in which the marked text starts. */
  excerpt?: string;
  /** What is to be said of this place. */
  message?: string;
}

/** One thing to say about a policy set: what, where, and what to do. */
export interface Diagnostic extends Partial<Omit<DiagnosticPlace, "message">> {
  /** An `error` refuses the policy set; with a `warning` it works, and probably not as meant. */
  severity: "error" | "warning";
  /** The kind of mistake, such as `unknown-field`. A code never changes its meaning. */
  code: string;
  /** What is wrong, in one sentence. */
  message: string;
  /** What to do about it. */
  hint?: string;
  /** All of it as a person reads it: message, excerpts with carets, hint. */
  rendered?: string;
  /** Other places that take part. */
  related: DiagnosticPlace[];
}

/** The base of all errors of this package. Thrown as it is (code `ENGINE_FAULT`) when the engine breaks its own contract. */
export class OrthrusError extends Error {
  static {
    OrthrusError.prototype.name = "OrthrusError";
  }

  /** What kind of error it is; stable. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The policies are refused. `message` holds the count and every diagnostic as a person reads it. Code: `POLICY_INVALID`. */
export class PolicyError extends OrthrusError {
  static {
    PolicyError.prototype.name = "PolicyError";
  }

  declare readonly code: "POLICY_INVALID";
  /** What is wrong, in the order of files and positions; may hold warnings beside the errors. */
  readonly diagnostics: readonly Diagnostic[];

  /** `rendered` is the diagnostics as a person reads them. */
  constructor(rendered: string, diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    super("POLICY_INVALID", `${countOf(diagnostics)} in the policies\n\n${rendered}`, options);
    this.diagnostics = diagnostics;
  }
}

/** `2 errors and 1 warning` */
function countOf(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic["severity"]): string | undefined => {
    const { length } = diagnostics.filter((diagnostic) => diagnostic.severity === severity);
    return length === 0 ? undefined : `${length} ${severity}${length === 1 ? "" : "s"}`;
  };
  return [count("error"), count("warning")].filter((part) => part !== undefined).join(" and ") || "errors";
}

/**
 * - `REQUEST_INVALID`: a field is missing or has a value that the request cannot carry;
 * - `REQUEST_TOO_LARGE`: the request exceeds 16 MiB, or its attributes 64 levels;
 * - `REQUEST_JWT_UNSUPPORTED`: it carries a token, and the engine was opened without keys for it;
 * - `REQUEST_JWT_INVALID`: the token is refused (the `cause` says why: a {@link JwtError}, or what `decodeJWTPayload` threw);
 * - `REQUEST_JWT_UNAVAILABLE`: what it takes to verify the token cannot be had now; another try may succeed.
 */
export type RequestErrorCode =
  | "REQUEST_INVALID"
  | "REQUEST_TOO_LARGE"
  | "REQUEST_JWT_UNSUPPORTED"
  | "REQUEST_JWT_INVALID"
  | "REQUEST_JWT_UNAVAILABLE";

/** The request is refused, and no decision is made. */
export class RequestError extends OrthrusError {
  static {
    RequestError.prototype.name = "RequestError";
  }

  declare readonly code: RequestErrorCode;
  /** The field, such as `principal.roles[1]` or `resources[0].resource.attr.amount`; empty for the request as a whole. */
  readonly path: string;

  constructor(code: RequestErrorCode, path: string, problem: string, options?: ErrorOptions) {
    super(code, path === "" ? problem : `${path}: ${problem}`, options);
    this.path = path;
  }
}

/** Schemas refuse attributes of the request, and the engine was opened with `onValidationError: "throw"`. Code: `VALIDATION_FAILED`. */
export class ValidationFailed extends OrthrusError {
  static {
    ValidationFailed.prototype.name = "ValidationFailed";
  }

  declare readonly code: "VALIDATION_FAILED";
  /** What schemas refuse, each thing once. */
  readonly validationErrors: ValidationError[];

  constructor(validationErrors: ValidationError[]) {
    const lines = validationErrors.map(
      ({ source, path, message }) => `${source === "SOURCE_PRINCIPAL" ? "principal" : "resource"} ${path}: ${message}`,
    );
    super("VALIDATION_FAILED", `schemas refuse the attributes: ${lines.join("; ")}`);
    this.validationErrors = validationErrors;
  }
}

/** An option is unknown or has a value it cannot have. Code: `OPTIONS_INVALID`. */
export class OptionsError extends OrthrusError {
  static {
    OptionsError.prototype.name = "OptionsError";
  }

  declare readonly code: "OPTIONS_INVALID";
  /** The option, such as `globals.limits[2]`; empty for the options as a whole. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("OPTIONS_INVALID", path === "" ? problem : `${path}: ${problem}`, options);
    this.path = path;
  }
}

/** The engine was used after `close()`. Code: `ENGINE_CLOSED`. */
export class ClosedError extends OrthrusError {
  static {
    ClosedError.prototype.name = "ClosedError";
  }

  declare readonly code: "ENGINE_CLOSED";

  constructor() {
    super("ENGINE_CLOSED", "this engine is closed: open another one to decide again");
  }
}

/** A server does not start: a socket cannot be had. Code: `SERVER_START`. */
export class ServerError extends OrthrusError {
  static {
    ServerError.prototype.name = "ServerError";
  }

  declare readonly code: "SERVER_START";

  constructor(message: string, options?: ErrorOptions) {
    super("SERVER_START", message, options);
  }
}

/** The policies cannot be read: nothing is there, or no directory or archive; it is broken or may not be read. Code: `STORE_UNREADABLE`. */
export class StoreError extends OrthrusError {
  static {
    StoreError.prototype.name = "StoreError";
  }

  declare readonly code: "STORE_UNREADABLE";
  /** The file, directory or archive. */
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super("STORE_UNREADABLE", message, options);
    this.path = path;
  }
}

/**
 * Why a bundle is refused:
 * - `not-a-bundle`: it does not begin as one;
 * - `truncated`: its end is missing;
 * - `altered`: its content is not what its digest says;
 * - `newer-format`, `older-format`: a later, or much earlier, version of orthrus made it;
 * - `other-version`: a version of orthrus made it whose expressions have other functions;
 * - `malformed`: its digest is right, and its content is none that orthrus makes;
 * - `unsigned`: signatures are required, and it has none;
 * - `unknown-key`: the key that signed it is not among those that are trusted;
 * - `wrong-signature`: its signature is not one of the key that it names.
 */
export type BundleInvalidReason =
  | "not-a-bundle"
  | "truncated"
  | "altered"
  | "newer-format"
  | "older-format"
  | "other-version"
  | "malformed"
  | "unsigned"
  | "unknown-key"
  | "wrong-signature";

/**
 * Why a bundle cannot be had from its source:
 * - `not-found`: there is none;
 * - `status`: a server answers with an error, as the message tells;
 * - `redirect`: a server refers to another place;
 * - `timeout`: there was no answer in time;
 * - `too-large`: it has more bytes than are allowed;
 * - `failed`: anything else, as `cause` tells.
 */
export type BundleUnavailableReason = "not-found" | "status" | "redirect" | "timeout" | "too-large" | "failed";

/** A bundle of policies is refused (code `BUNDLE_INVALID`), or cannot be had from its source (`BUNDLE_UNAVAILABLE`). */
export class BundleError extends OrthrusError {
  static {
    BundleError.prototype.name = "BundleError";
  }

  declare readonly code: "BUNDLE_INVALID" | "BUNDLE_UNAVAILABLE";
  readonly reason: BundleInvalidReason | BundleUnavailableReason;

  constructor(
    code: BundleError["code"],
    reason: BundleInvalidReason | BundleUnavailableReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.reason = reason;
  }
}

/**
 * Lines of an audit log did not get to their file:
 * - `AUDIT_UNWRITABLE`: it cannot be written, as `cause` tells. The lines wait, and are tried again;
 * - `AUDIT_DROPPED`: `dropped` lines are lost, because too many wait already or the file is closed.
 */
export class AuditError extends OrthrusError {
  static {
    AuditError.prototype.name = "AuditError";
  }

  declare readonly code: "AUDIT_UNWRITABLE" | "AUDIT_DROPPED";
  /** How many lines are lost; 0 where none are. */
  readonly dropped: number;

  constructor(code: AuditError["code"], message: string, dropped: number, options?: ErrorOptions) {
    super(code, message, options);
    this.dropped = dropped;
  }
}

/** The native addon of this platform, or the WebAssembly engine, is missing or cannot be loaded. Code: `NATIVE_UNAVAILABLE`. */
export class BinaryError extends OrthrusError {
  static {
    BinaryError.prototype.name = "BinaryError";
  }

  declare readonly code: "NATIVE_UNAVAILABLE";
  /** The platform, such as `linux-x64-musl`; `wasm` for WebAssembly. */
  readonly platform: string;

  constructor(message: string, platform: string, options?: ErrorOptions) {
    super("NATIVE_UNAVAILABLE", message, options);
    this.platform = platform;
  }
}

/** This runtime cannot do it: it has no files, or decides by WebAssembly, which verifies no tokens and compiles no directories. Code: `UNSUPPORTED`. */
export class UnsupportedError extends OrthrusError {
  static {
    UnsupportedError.prototype.name = "UnsupportedError";
  }

  declare readonly code: "UNSUPPORTED";

  constructor(message: string) {
    super("UNSUPPORTED", message);
  }
}

/**
 * - `IDENTITY_UNSUPPORTED`: the value is none of the shapes that the provider's SDK returns;
 * - `IDENTITY_INVALID`: it contradicts itself or is malformed, and must not be trusted;
 * - `IDENTITY_INACTIVE`: the user, session or membership exists and is not active;
 * - `IDENTITY_NO_ORGANIZATION`: no organization is active, and the mapper was told to require one;
 * - `IDENTITY_UNAUTHENTICATED`: nobody is signed in, and the mapper was told to refuse that.
 */
export type IdentityErrorCode =
  | "IDENTITY_UNSUPPORTED"
  | "IDENTITY_INVALID"
  | "IDENTITY_INACTIVE"
  | "IDENTITY_NO_ORGANIZATION"
  | "IDENTITY_UNAUTHENTICATED";

/** No principal can be made of what an identity provider returned. */
export class IdentityError extends OrthrusError {
  static {
    IdentityError.prototype.name = "IdentityError";
  }

  declare readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/**
 * A guard of a framework could not decide: a function of the application, the engine or the request failed, as `cause` tells. The
 * message is the same for all causes, because frameworks show it to clients. Code: `AUTHORIZATION_UNDECIDED`.
 */
export class UndecidedError extends OrthrusError {
  static {
    UndecidedError.prototype.name = "UndecidedError";
  }

  declare readonly code: "AUTHORIZATION_UNDECIDED";
  /** What HTTP calls it: 503 where a credential cannot be verified now, else 500. */
  readonly status: 500 | 503;
  /** The same, by the name that some frameworks read. */
  readonly statusCode: 500 | 503;

  constructor(status: 500 | 503, options?: ErrorOptions) {
    super("AUTHORIZATION_UNDECIDED", "the authorization of this request could not be decided", options);
    this.status = status;
    this.statusCode = status;
  }
}

/**
 * - `JWT_TOO_LARGE`: the token has more than 16 KiB;
 * - `JWT_MALFORMED`: it is no token, a registered claim has not its type, or an object in it names a member twice;
 * - `JWT_ALGORITHM`: its algorithm is `none`, not allowed, or not that of the key;
 * - `JWT_CRITICAL`: it demands an extension (`crit`, `b64`); none is understood;
 * - `JWT_TYPE`: its `typ` is not allowed;
 * - `JWT_KEY_SET_UNKNOWN`: no key set has the id that was given, or none was given and there are several;
 * - `JWT_KEY_UNKNOWN`: no key of the set has its `kid`, or it has none;
 * - `JWT_SIGNATURE`: its signature is wrong;
 * - `JWT_EXPIRED`, `JWT_NOT_YET_VALID`: by `exp`; by `nbf` or `iat`;
 * - `JWT_ISSUER`, `JWT_AUDIENCE`: it is of another issuer, for another audience;
 * - `JWT_CLAIM_MISSING`: a claim that is required is missing or empty;
 * - `JWT_REVOKED`: the revocation list has it;
 * - `JWT_KEYS_UNAVAILABLE`: the keys cannot be fetched;
 * - `JWT_REVOCATION_UNAVAILABLE`: the revocation list does not answer.
 */
export type JwtErrorCode =
  | "JWT_TOO_LARGE"
  | "JWT_MALFORMED"
  | "JWT_ALGORITHM"
  | "JWT_CRITICAL"
  | "JWT_TYPE"
  | "JWT_KEY_SET_UNKNOWN"
  | "JWT_KEY_UNKNOWN"
  | "JWT_SIGNATURE"
  | "JWT_EXPIRED"
  | "JWT_NOT_YET_VALID"
  | "JWT_ISSUER"
  | "JWT_AUDIENCE"
  | "JWT_CLAIM_MISSING"
  | "JWT_REVOKED"
  | "JWT_KEYS_UNAVAILABLE"
  | "JWT_REVOCATION_UNAVAILABLE";

/** A token is refused. The message is for the log: who sent the token must not learn it. */
export class JwtError extends OrthrusError {
  static {
    JwtError.prototype.name = "JwtError";
  }

  declare readonly code: JwtErrorCode;
  /**
   * Whether nothing is known against the token: what it takes to verify it cannot be had now. A server answers 503, and 401 to
   * all other errors.
   */
  readonly retryable: boolean;

  constructor(code: JwtErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.retryable = code === "JWT_KEYS_UNAVAILABLE" || code === "JWT_REVOCATION_UNAVAILABLE";
  }
}
