/**
 * The contract between this package and its addon (`crates/node`): bytes or text in, a number or text out. Objects never cross,
 * because field by field they would cost more than the decision.
 */

import {
  BundleError,
  type BundleInvalidReason,
  ClosedError,
  type Diagnostic,
  JwtError,
  type JwtErrorCode,
  OptionsError,
  OrthrusError,
  PolicyError,
  RequestError,
  type RequestErrorCode,
  ServerError,
  StoreError,
} from "../errors.js";
import type { TestResults } from "./test-results.js";

/** A loaded policy set, by the number that the addon gave it. Numbers are never given twice. */
export type EngineNumber = number;

/**
 * The effects of a request, over all resources in its order. Where there are at most {@link MASK_BITS} actions and nothing else
 * to tell, the bits of a number: 1 allows, and the first action is the lowest. Else a string with one character an action (`A`
 * allow, `D` deny), and if there is more to tell a line feed and JSON: an array with one {@link NativeDetail} a resource.
 */
export type Answer = number | string;

/** How many actions a number answers at most: as many as make a small integer on every platform. */
export const MASK_BITS = 30;

/** Keys and rules that verify tokens: an object of the addon, which is freed when nobody holds it. */
export interface NativeJwtVerifier {
  readonly __nativeJwtVerifier: unique symbol;
}

/** Where keys come from: see `KeySource` in `crates/identity`; with `none` any signature is believed. */
export type NativeKeySource = "remote" | "local" | "pem" | "secret" | "none";

/** The addon. All failures are {@link NativeFailure | failures} in the message of an `Error`. */
export interface Native {
  open(path: string, options: string): Promise<EngineNumber>;
  openSync(path: string, options: string): EngineNumber;
  /** `files` is a JSON object from path to text. */
  fromFiles(files: string, options: string): Promise<EngineNumber>;
  fromFilesSync(files: string, options: string): EngineNumber;
  /**
   * Loads a compiled bundle on the calling thread, without reading policies again. `options` is JSON of `NativeBundleOptions`. Fails
   * with the code `BUNDLE_INVALID` and a reason.
   */
  fromBundle(bundle: Uint8Array, options: string): EngineNumber;
  /** JSON: the `NativeBundle` that the policies came from; `null` where they came as text. */
  bundle(engine: EngineNumber): string;
  /** Runs the command line on the streams of the process; resolves to the exit code. */
  cli(args: string[]): Promise<number>;
  /** Compiles policies and runs their tests. `options` is JSON of `NativeCompileOptions`; JSON: `NativeCompileReport`. */
  compile(path: string, options: string): Promise<string>;
  /** Compiles policies into a bundle. `options` is JSON of `NativeMakeOptions`. */
  makeBundle(path: string, options: string): Promise<Uint8Array>;
  /** Frees the policies. */
  close(engine: EngineNumber): void;
  /** How many policies are loaded, without those that are disabled. */
  policyCount(engine: EngineNumber): number;
  /** JSON: `Diagnostic[]`. */
  warnings(engine: EngineNumber): string;
  /** JSON: the names of the attributes that policies read of principals; `null` for all. */
  principalAttributes(engine: EngineNumber): string;
  /** JSON: the names of the attributes that policies read of resources of a kind; `null` for all. */
  resourceAttributes(engine: EngineNumber, kind: string): string;
  /** Decides a frame (see `frame.ts`), the first bytes of a buffer, on the calling thread, now. */
  check(engine: EngineNumber, frame: Uint8Array, length: number): Answer;
  /**
   * Decides on the calling thread, at an instant in milliseconds since 1970, or now.
   *
   * `request` is JSON: `{requestId?, includeMeta?, principal: {id, policyVersion?, roles, attr?, scope?}, resources: [{resource:
   * {kind, policyVersion?, id, attr?, scope?}, actions}], auxData?: {jwt?: claims, jwts?: {NAME: claims}}}`. Fields at their
   * default are left out. `auxData` holds claims, not tokens.
   *
   * With `audit` the answer is a string with all details, whether or not the request asks for metadata.
   */
  checkJson(engine: EngineNumber, request: string, at?: number, audit?: boolean): Answer;
  /** Reads keys. `rules` is JSON of `NativeJwtRules`. Keys that cannot be used fail with the code `JWT_KEYS_INVALID`. */
  jwtVerifier(source: NativeKeySource, keys: Uint8Array, rules: string): NativeJwtVerifier;
  /** Verifies a token at an instant in milliseconds since 1970. JSON: `[header, claims]`. */
  verifyJwt(verifier: NativeJwtVerifier, token: string, now: number): string;
}

/** A server: an object of the addon. */
export interface NativeServer {
  readonly __nativeServer: unique symbol;
}

/** What the addon has beside what every engine has: servers. */
export interface NativeServers {
  /**
   * Starts a server. `options` is JSON of `config` (`ServerConfig` in `crates/server`), `driver` and `directory`. `hear` gets JSON: a
   * {@link ServerEvent}, or a {@link ServerQuestion}, which `serverAnswer` answers.
   */
  serve(engine: EngineNumber, options: string, hear: (text: string) => void): NativeServer;
  /** JSON: `{http, grpc}`; `null` once it is stopped. */
  serverAddresses(server: NativeServer): string;
  /** Has it decide by another engine. */
  serverPolicies(server: NativeServer, engine: EngineNumber): void;
  serverPoliciesFailed(server: NativeServer, message: string): void;
  serverKeys(server: NativeServer, keySet: number, verifier?: NativeJwtVerifier | undefined): void;
  serverAnswer(server: NativeServer, number: number, error: string | undefined, answer: boolean): void;
  /** Resolves when all that was under way is answered, after so many milliseconds at the latest. */
  stopServer(server: NativeServer, grace: number): Promise<void>;
  /** Reads a configuration: JSON of `file`, `places` and `warnings`. Fails with `POLICY_INVALID` and its diagnostics. */
  readServerConfig(name: string, text: string, overrides: string, environment: string): string;
}

/** Something that a server tells. */
export interface ServerEvent {
  level: "info" | "warn" | "error";
  /** Which part of it tells it, such as `orthrus.tokens`. */
  logger: string;
  message: string;
  fields: Record<string, unknown>;
}

/** Something that a server wants to know. */
export type ServerQuestion =
  | { ask: "keys"; number: number; keySet: number; renew: boolean }
  | { ask: "revoked"; number: number; claims: string };

/** The rules for the tokens of a key set as the addon gets them, as JSON. */
export interface NativeJwtRules {
  issuer: string[];
  audience: string[];
  algorithms: string[];
  requiredClaims: string[];
  /** Seconds. */
  skew: number;
  types: string[];
  optionalAlg: boolean;
  optionalKid: boolean;
  optionalExp: boolean;
}

/** The options as the addon gets them, as JSON. */
export interface NativeOptions {
  defaultPolicyVersion?: string;
  defaultScope?: string;
  lenientScopeSearch?: boolean;
  strictEvaluation?: boolean;
  schemaEnforcement?: "none" | "warn" | "reject";
  globals?: object;
}

/** The options with a bundle as the addon gets them, as JSON. */
export interface NativeBundleOptions extends NativeOptions {
  /** Ed25519 public keys, SPKI in PEM: one of them must have signed the bundle. */
  trustedKeys?: string[];
}

/** Which bundle policies came from. */
export interface NativeBundle {
  digest: string;
  /** The trusted key that signed it. */
  keyId?: string;
}

/** The options of `compile` as the addon gets them, as JSON. */
export interface NativeCompileOptions {
  ignoreSchemas?: boolean;
  skipTests?: boolean;
  tests?: string;
  testFilter?: string[];
  skipBatching?: boolean;
  strictEvaluation?: boolean;
  trace?: boolean;
}

/** The options of `makeBundle` as the addon gets them, as JSON. */
export interface NativeMakeOptions {
  ignoreSchemas?: boolean;
  /** PKCS #8 in PEM. */
  signKey?: string;
}

/** What came of `compile`. `tests` is null where none were run. */
export interface NativeCompileReport {
  ok: boolean;
  diagnostics: Diagnostic[];
  tests: TestResults | null;
}

/** What is to be told of one resource beside its effects. Each field may be absent. */
export interface NativeDetail {
  outputs?: { src: string; action: string; val?: unknown; error?: string }[];
  validationErrors?: { path: string; message: string; source: string }[];
  meta?: {
    actions: Record<string, { matchedPolicy: string; matchedScope?: string }>;
    effectiveDerivedRoles?: string[];
  };
  /** Only for an audit log. */
  evaluationErrors?: { expression: string; message: string }[];
  /** Only for an audit log. */
  effectivePolicies?: Record<string, { source: string }>;
}

/** The JSON in the message of an error that the addon throws. */
export interface NativeFailure {
  /** `POLICY_INVALID`, `BUNDLE_INVALID`, `REQUEST_…`, `OPTIONS_INVALID`, `STORE_UNREADABLE`, `ENGINE_CLOSED`, `JWT_…`; others stay as they are. */
  code: string;
  /** What to tell a person; with `POLICY_INVALID` all diagnostics, rendered. */
  message: string;
  /** The field of the request or the option, or the file, directory or archive. */
  path?: string;
  diagnostics?: Diagnostic[];
  /** Why a bundle is refused. */
  reason?: BundleInvalidReason;
}

/** What a call of the addon gives. Throws the error of this package that stands for what it throws. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw errorFromNative(error);
  }
}

/** What a call of the addon resolves to. Rejects with the error of this package that stands for what it rejects with. */
export async function attemptLater<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw errorFromNative(error);
  }
}

/** The error of this package that stands for an error of the addon. */
export function errorFromNative(error: unknown): OrthrusError {
  if (error instanceof OrthrusError) {
    return error;
  }
  const failure = parseFailure(error);
  if (failure === undefined) {
    const message = error instanceof Error ? error.message : String(error);
    return new OrthrusError("ENGINE_FAULT", `the engine failed: ${message}`, { cause: error });
  }
  const { code, message, path = "" } = failure;
  switch (code) {
    case "POLICY_INVALID":
      return new PolicyError(message, failure.diagnostics ?? []);
    case "BUNDLE_INVALID":
      return new BundleError(code, failure.reason ?? "malformed", message);
    case "REQUEST_INVALID":
    case "REQUEST_TOO_LARGE":
      return new RequestError(code satisfies RequestErrorCode, path, message);
    case "OPTIONS_INVALID":
      return new OptionsError(path, message);
    case "STORE_UNREADABLE":
      return new StoreError(message, path);
    case "SERVER_START":
      return new ServerError(message);
    case "ENGINE_CLOSED":
      return new ClosedError();
    case "JWT_KEYS_INVALID":
      return new OrthrusError(code, message);
    default:
      return code.startsWith("JWT_") ? new JwtError(code as JwtErrorCode, message) : new OrthrusError(code, message);
  }
}

function parseFailure(error: unknown): NativeFailure | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  try {
    const failure = JSON.parse(error.message);
    return typeof failure?.code === "string" && typeof failure.message === "string" ? failure : undefined;
  } catch {
    return undefined;
  }
}
