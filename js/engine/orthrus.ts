import { randomUUID } from "node:crypto";
import { ClosedError, type Diagnostic, OptionsError, RequestError, ValidationFailed } from "../errors.js";
import { loadNative } from "./addon.js";
import {
  decodeCheckResource,
  decodeCheckResources,
  decodeIsAllowed,
  decodeValidationErrors,
  splitAnswer,
  withoutAudit,
} from "./answer.js";
import { AttributesRead } from "./attributes.js";
import { type AuxClaims, decodeAuxData } from "./aux-data.js";
import { type DecisionLogEntry, decisionLogEntry } from "./decision-log.js";
import { encodeCheckResource, encodeCheckResources, encodeIsAllowed } from "./encode.js";
import { frame, writeCheckResource, writeCheckResources, writeFrame, writeIsAllowed } from "./frame.js";
import { type Answer, type EngineNumber, errorFromNative, type Native } from "./native.js";
import { type CheckedOptions, checkOptions, type Options } from "./options.js";
import type {
  AuxData,
  CheckResourceRequest,
  CheckResourcesRequest,
  IsAllowedRequest,
  Principal,
  RequestExtras,
  RequestOptions,
} from "./request.js";
import type { CheckResourcesResponse, CheckResourcesResult, ValidationError } from "./result.js";
import { storePath } from "./store-path.js";
import { ulid } from "./ulid.js";
import { OrthrusWithPrincipal } from "./with-principal.js";

/** One kind of request: to text, and from the answer. */
interface Operation<Request, Result> {
  /** Writes a frame. */
  write(request: Request, auxClaims: AuxClaims | undefined, reads: AttributesRead): void;
  encode(request: Request, auxClaims: AuxClaims | undefined): string;
  decode(request: Request, answer: Answer, callId?: string): Result;
  /** What schemas refuse. */
  validationErrors(result: Result, answer: Answer): ValidationError[];
}

const CHECK_RESOURCES: Operation<CheckResourcesRequest, CheckResourcesResponse> = {
  write: writeCheckResources,
  encode: encodeCheckResources,
  decode: decodeCheckResources,
  validationErrors: (response) => response.validationErrors,
};
const CHECK_RESOURCE: Operation<CheckResourceRequest, CheckResourcesResult> = {
  write: writeCheckResource,
  encode: encodeCheckResource,
  decode: decodeCheckResource,
  validationErrors: (result) => result.validationErrors,
};
const IS_ALLOWED: Operation<IsAllowedRequest, boolean> = {
  write: writeIsAllowed,
  encode: encodeIsAllowed,
  decode: (_request, answer) => decodeIsAllowed(answer),
  validationErrors: (_allowed, answer) => decodeValidationErrors(answer),
};

/** Frees the policies of engines that nobody closed and nobody can reach any more. */
const forgotten = new FinalizationRegistry<{ native: Native; engine: EngineNumber }>(({ native, engine }) =>
  native.close(engine),
);

/**
 * A set of Cerbos policies, loaded and ready to decide.
 *
 * ```js
 * const orthrus = await Orthrus.open("policies");
 * await orthrus.isAllowed({ principal: { id: "ann", roles: ["user"] }, resource: { kind: "document", id: "1" }, action: "view" });
 * ```
 *
 * Decisions are made on the calling thread, in microseconds; the methods that return promises are there so that code written
 * for a Cerbos client runs unchanged, and never throw before they return.
 */
export class Orthrus {
  readonly #native: Native;
  readonly #options: CheckedOptions;
  /** `undefined` once it is closed. */
  #engine: EngineNumber | undefined;
  readonly #reads: AttributesRead;
  #warnings: readonly Diagnostic[] | undefined;

  private constructor(native: Native, engine: EngineNumber, options: CheckedOptions) {
    this.#native = native;
    this.#engine = engine;
    this.#options = options;
    this.#reads = new AttributesRead(native, engine);
    forgotten.register(this, { native, engine }, this);
  }

  /**
   * Loads all policies below a directory, or of an archive (`.zip`, `.tar`, `.tar.gz`, `.tgz`); the work is done off the calling
   * thread.
   *
   * Rejects with `StoreError` (cannot be read), `PolicyError` (refused), `OptionsError` or `BinaryError`.
   */
  static async open(dir: string | URL, options?: Options): Promise<Orthrus> {
    const checked = checkOptions(options);
    const path = storePath(dir);
    const native = loadNative();
    return new Orthrus(native, await native.open(path, checked.native).catch(rethrow), checked);
  }

  /** {@link Orthrus.open} that blocks. */
  static openSync(dir: string | URL, options?: Options): Orthrus {
    const checked = checkOptions(options);
    const path = storePath(dir);
    const native = loadNative();
    const engine = attempt(() => native.openSync(path, checked.native));
    return new Orthrus(native, engine, checked);
  }

  /**
   * Loads policies (and schemas, below `_schemas/`) from texts by path; the work is done off the calling thread.
   *
   * Rejects with `PolicyError`, `OptionsError` or `BinaryError`.
   */
  static async fromFiles(files: Record<string, string>, options?: Options): Promise<Orthrus> {
    const checked = checkOptions(options);
    const texts = encodeFiles(files);
    const native = loadNative();
    return new Orthrus(native, await native.fromFiles(texts, checked.native).catch(rethrow), checked);
  }

  /** {@link Orthrus.fromFiles} that blocks. */
  static fromFilesSync(files: Record<string, string>, options?: Options): Orthrus {
    const checked = checkOptions(options);
    const texts = encodeFiles(files);
    const native = loadNative();
    const engine = attempt(() => native.fromFilesSync(texts, checked.native));
    return new Orthrus(native, engine, checked);
  }

  /** Decides several actions on several resources. Rejects with `RequestError` or `ClosedError`. */
  checkResources(request: CheckResourcesRequest, options?: RequestOptions): Promise<CheckResourcesResponse> {
    return this.#promise(CHECK_RESOURCES, request, options);
  }

  /** Decides several actions on one resource. Rejects with `RequestError` or `ClosedError`. */
  checkResource(request: CheckResourceRequest, options?: RequestOptions): Promise<CheckResourcesResult> {
    return this.#promise(CHECK_RESOURCE, request, options);
  }

  /** Decides one action on one resource. Rejects with `RequestError` or `ClosedError`. */
  isAllowed(request: IsAllowedRequest, options?: RequestOptions): Promise<boolean> {
    return this.#promise(IS_ALLOWED, request, options);
  }

  /** {@link Orthrus.checkResources} without a promise. Throws what that rejects with. */
  checkResourcesSync(request: CheckResourcesRequest): CheckResourcesResponse {
    return this.#decide(CHECK_RESOURCES, request, this.#claimsSync(request));
  }

  /** {@link Orthrus.checkResource} without a promise. Throws what that rejects with. */
  checkResourceSync(request: CheckResourceRequest): CheckResourcesResult {
    return this.#decide(CHECK_RESOURCE, request, this.#claimsSync(request));
  }

  /** {@link Orthrus.isAllowed} without a promise. Throws what that rejects with. */
  isAllowedSync(request: IsAllowedRequest): boolean {
    return this.#decide(IS_ALLOWED, request, this.#claimsSync(request));
  }

  /** The same checks for one principal, so that requests need not name it. */
  withPrincipal(principal: Principal, auxData?: AuxData): OrthrusWithPrincipal {
    return new OrthrusWithPrincipal(this, principal, auxData);
  }

  /** What is doubtful about the policies, though they work. */
  get warnings(): readonly Diagnostic[] {
    const engine = this.#opened();
    this.#warnings ??= JSON.parse(attempt(() => this.#native.warnings(engine))) as Diagnostic[];
    return this.#warnings;
  }

  /** How many policies are loaded, without those that are disabled. */
  get policyCount(): number {
    const engine = this.#opened();
    return attempt(() => this.#native.policyCount(engine));
  }

  /** Frees the policies. All later use, except closing again, fails with a `ClosedError`. */
  close(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine !== undefined) {
      forgotten.unregister(this);
      attempt(() => this.#native.close(engine));
    }
  }

  #opened(): EngineNumber {
    if (this.#engine === undefined) {
      throw new ClosedError();
    }
    return this.#engine;
  }

  #promise<Request extends RequestExtras, Result>(
    operation: Operation<Request, Result>,
    request: Request,
    options: RequestOptions | undefined,
  ): Promise<Result> {
    try {
      throwIfAborted(options);
      const claims = this.#claims(request);
      if (claims instanceof Promise) {
        return claims.then((claims) => {
          throwIfAborted(options);
          return this.#decide(operation, request, claims);
        });
      }
      return Promise.resolve(this.#decide(operation, request, claims));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #decide<Request extends RequestExtras, Result>(
    operation: Operation<Request, Result>,
    request: Request,
    auxClaims: AuxClaims | undefined,
  ): Result {
    const now = this.#now();
    if (this.#options.onDecision !== undefined) {
      return this.#decideAndTell(this.#options.onDecision, operation, request, auxClaims, now);
    }
    const { write, encode, decode, validationErrors } = operation;
    const length = now === undefined ? writeFrame(write, request, auxClaims, this.#reads) : 0;
    const text = length === 0 ? encode(request, auxClaims) : "";
    // After the encoding: a getter of the request may have closed the engine.
    const engine = this.#opened();
    let answer: Answer;
    try {
      answer = length === 0 ? this.#native.checkJson(engine, text, now) : this.#native.check(engine, frame, length);
    } catch (error) {
      if (length > 0) {
        // The engine counts from the frame; the encoder knows the paths of this request.
        encode(request, auxClaims);
      }
      throw errorFromNative(error);
    }
    const result = decode(request, answer);
    // What schemas refuse is among the details, which a number has none of.
    if (this.#options.onValidationError !== undefined && typeof answer === "string") {
      this.#onValidationErrors(validationErrors(result, answer));
    }
    return result;
  }

  /** With an audit log every request goes as JSON, which the entry quotes. */
  #decideAndTell<Request extends RequestExtras, Result>(
    onDecision: (entry: DecisionLogEntry) => void,
    { encode, decode, validationErrors }: Operation<Request, Result>,
    request: Request,
    auxClaims: AuxClaims | undefined,
    now: number | undefined,
  ): Result {
    const text = encode(request, auxClaims);
    const timestamp = new Date(now ?? Date.now());
    const engine = this.#opened();
    const answer = attempt(() => this.#native.checkJson(engine, text, timestamp.getTime(), true));
    const { letters, details } = splitAnswer(answer);
    const callId = ulid(timestamp.getTime());
    const requestId = request.requestId ?? randomUUID();
    const { requestContext, includeMetadata } = request;
    onDecision(
      decisionLogEntry({ callId, requestId, timestamp, request: text, auxClaims, requestContext, letters, details }),
    );
    const told = withoutAudit(letters, details, includeMetadata);
    const result = decode({ ...request, requestId }, told, callId);
    this.#onValidationErrors(validationErrors(result, told));
    return result;
  }

  #onValidationErrors(errors: ValidationError[]): void {
    const { onValidationError } = this.#options;
    if (errors.length === 0) {
      return;
    }
    if (onValidationError === "throw") {
      throw new ValidationFailed(errors);
    }
    onValidationError?.(errors);
  }

  #claims(request: { auxData?: AuxData | undefined }): AuxClaims | undefined | Promise<AuxClaims> {
    this.#opened();
    // What is no object at all is refused by the encoder, together with everything else about the request.
    return request?.auxData === undefined ? undefined : decodeAuxData(request.auxData, this.#options.decodeToken);
  }

  #claimsSync(request: { auxData?: AuxData | undefined }): AuxClaims | undefined {
    const claims = this.#claims(request);
    if (claims instanceof Promise) {
      // Nobody will wait for it, so its failure must not become an unhandled rejection.
      claims.catch(() => undefined);
      throw new RequestError(
        "REQUEST_JWT_UNSUPPORTED",
        "auxData",
        "its tokens cannot be verified at once: decide by the method without Sync",
      );
    }
    return claims;
  }

  /** Milliseconds since 1970 by the option; `undefined` for the time at which the addon decides. */
  #now(): number | undefined {
    if (this.#options.now === undefined) {
      return undefined;
    }
    const now: unknown = this.#options.now();
    if (!(now instanceof Date) || Number.isNaN(now.getTime())) {
      throw new OptionsError("now", "must return a valid Date");
    }
    return now.getTime();
  }
}

function throwIfAborted(options: RequestOptions | undefined): void {
  if (options?.signal?.aborted) {
    throw options.signal.reason;
  }
}

function encodeFiles(files: Record<string, string>): string {
  if (typeof files !== "object" || files === null || Array.isArray(files)) {
    throw new OptionsError("files", "must be an object from path to text");
  }
  for (const [path, text] of Object.entries(files)) {
    if (typeof text !== "string") {
      throw new OptionsError(`files[${JSON.stringify(path)}]`, "must be the text of the file");
    }
  }
  return JSON.stringify(files);
}

function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw errorFromNative(error);
  }
}

function rethrow(error: unknown): never {
  throw errorFromNative(error);
}
