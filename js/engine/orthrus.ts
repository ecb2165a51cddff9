import { isBundleFile, isBundleFileSync, loadNative, readVersionSync, whenReady } from "#platform";
import { fileBundle } from "../bundles/file.js";
import { type BundleHandle, noSource } from "../bundles/handle.js";
import { bundleOpening, type OpenedBundle, openBytes, openSource, openVersion } from "../bundles/opened-bundle.js";
import { BUNDLE_OPTIONS, type BundleOptions, refuseBundleOptions } from "../bundles/options.js";
import type { BundleLoader, BundleSource } from "../bundles/source.js";
import type { BundleRefresh, BundleState } from "../bundles/state.js";
import { asSource, bytesOf, isBytes } from "../bundles/version.js";
import {
  ClosedError,
  type Diagnostic,
  OptionsError,
  type OrthrusError,
  RequestError,
  ValidationFailed,
} from "../errors.js";
import { splitAnswer, withoutAudit } from "./answer.js";
import { type AuxClaims, decodeAuxData } from "./aux-data.js";
import { type DecisionLogEntry, decisionLogEntry } from "./decision-log.js";
import { DirectoryStore } from "./directory-store.js";
import { frame, writeFrame } from "./frame.js";
import { type Answer, attempt, attemptLater, errorFromNative, type Native } from "./native.js";
import { CHECK_RESOURCE, CHECK_RESOURCES, IS_ALLOWED, type Operation } from "./operation.js";
import { type CheckedOptions, checkOptions, type Options } from "./options.js";
import { encodeFiles } from "./policy-files.js";
import { PolicySet } from "./policy-set.js";
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

/** Frees the policies of engines that nobody closed and nobody can reach any more. Older Workers have no such registry. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<PolicySet>((policies) => policies.close());

/** Who hears which policies decide. */
export interface Follower {
  /** These decide from now on. */
  decide(policies: PolicySet): void;
  /** These still do: the source has no others. */
  confirm(policies: PolicySet): void;
  /** Others are refused, or cannot be had; those that decide go on. */
  fail(error: OrthrusError): void;
}

/** Where an engine comes from: at once, or when it has been fetched. */
interface EngineSource {
  loadNative(): Native;
  whenReady(): Promise<Native>;
}

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
  readonly #options: CheckedOptions;
  /** `undefined` once it is closed. */
  #policies: PolicySet | undefined;
  readonly #bundle: BundleHandle | undefined;
  readonly #directory: DirectoryStore | undefined;
  readonly #followers = new Set<Follower>();

  /** Where the engine comes from. */
  protected static readonly platform: EngineSource = { loadNative, whenReady };

  /** Engines are opened, by `open` and its siblings. */
  protected constructor(policies: PolicySet, options: CheckedOptions, opened?: OpenedBundle | DirectoryStore) {
    this.#policies = policies;
    this.#options = options;
    forgotten?.register(this, policies, this);
    if (opened instanceof DirectoryStore) {
      this.#directory = opened;
    } else {
      this.#bundle = opened?.follow(
        (next) => this.#replace(next),
        (refresh) => this.#tell(refresh),
      );
    }
  }

  /**
   * Loads all policies below a directory, of an archive (`.zip`, `.tar`, `.tar.gz`, `.tgz`), or of a bundle, which is known by its
   * first bytes. Off the calling thread, except for bundles, which take little time.
   *
   * Rejects with `StoreError` (cannot be read), `PolicyError` (refused), `BundleError`, `OptionsError` or `BinaryError`.
   */
  static async open(path: string | URL, options?: BundleOptions): Promise<Orthrus> {
    const file = storePath(path, "dir", "a directory, archive or bundle");
    if (await isBundleFile(file)) {
      return this.fromBundle(fileBundle(file), options);
    }
    const checked = checkOptions(options, BUNDLE_OPTIONS);
    refuseBundleOptions(options);
    const store = new DirectoryStore(await this.platform.whenReady(), file, checked.native);
    return new this(await store.read(), checked, store);
  }

  /** {@link Orthrus.open} that blocks. */
  static openSync(path: string | URL, options?: BundleOptions): Orthrus {
    const file = storePath(path, "dir", "a directory, archive or bundle");
    const checked = checkOptions(options, BUNDLE_OPTIONS);
    if (isBundleFileSync(file)) {
      const source = fileBundle(file);
      const opening = bundleOpening(this.platform.loadNative(), checked.native, options);
      const opened = openVersion(source, readVersionSync(file), opening);
      return new this(opened.set, checked, opened);
    }
    refuseBundleOptions(options);
    const native = this.platform.loadNative();
    const engine = attempt(() => native.openSync(file, checked.native));
    return new this(new PolicySet(native, engine), checked, new DirectoryStore(native, file, checked.native));
  }

  /**
   * Loads the policies of a bundle, as `orthrus bundle` makes it: its bytes, or a source of `orthrus/bundles`, which can be asked again
   * later.
   *
   * Rejects with `BundleError` (refused, or not to be had), `OptionsError` or `BinaryError`.
   */
  static async fromBundle(
    bundle: Uint8Array | ArrayBuffer | BundleSource | BundleLoader,
    options?: BundleOptions,
  ): Promise<Orthrus> {
    if (isBytes(bundle)) {
      await this.platform.whenReady();
      return this.fromBundleSync(bundle, options);
    }
    const source = asSource(bundle);
    const checked = checkOptions(options, BUNDLE_OPTIONS);
    const native = await this.platform.whenReady();
    const opened = await openSource(source, bundleOpening(native, checked.native, options));
    return new this(opened.set, checked, opened);
  }

  /** {@link Orthrus.fromBundle} of bytes that blocks, as loading a bundle always does: for milliseconds. */
  static fromBundleSync(bytes: Uint8Array | ArrayBuffer, options?: BundleOptions): Orthrus {
    if (!isBytes(bytes)) {
      throw new OptionsError("bytes", "must be the bytes of a bundle: a Uint8Array or an ArrayBuffer");
    }
    const checked = checkOptions(options, BUNDLE_OPTIONS);
    const native = this.platform.loadNative();
    const opened = openBytes(bytesOf(bytes), options, bundleOpening(native, checked.native, options));
    return new this(opened.set, checked, opened);
  }

  /**
   * Loads policies (and schemas, below `_schemas/`) from texts by path; the work is done off the calling thread.
   *
   * Rejects with `PolicyError`, `OptionsError` or `BinaryError`.
   */
  static async fromFiles(files: Record<string, string>, options?: Options): Promise<Orthrus> {
    const checked = checkOptions(options);
    const texts = encodeFiles(files);
    const native = await this.platform.whenReady();
    const engine = await attemptLater(() => native.fromFiles(texts, checked.native));
    return new this(new PolicySet(native, engine), checked);
  }

  /** {@link Orthrus.fromFiles} that blocks. */
  static fromFilesSync(files: Record<string, string>, options?: Options): Orthrus {
    const checked = checkOptions(options);
    const texts = encodeFiles(files);
    const native = this.platform.loadNative();
    const engine = attempt(() => native.fromFilesSync(texts, checked.native));
    return new this(new PolicySet(native, engine), checked);
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
    return this.#opened().warnings;
  }

  /** How many policies are loaded, without those that are disabled. */
  get policyCount(): number {
    const { native, engine } = this.#opened();
    return attempt(() => native.policyCount(engine));
  }

  /** The bundle that decides, and how it stands with its source; `undefined` where the policies came as text. */
  get bundle(): BundleState | undefined {
    this.#opened();
    return this.#bundle?.state;
  }

  /**
   * Asks the source of the bundle, or reads the directory or archive, now. Resolves to whether other policies decide from here on (those of a
   * directory always count as others); all checks that begin later are decided by them, also those of `withPrincipal`. Rejects with
   * why that failed; the policies go on deciding.
   */
  async refresh(): Promise<boolean> {
    this.#opened();
    if (this.#directory !== undefined) {
      return this.#reread(this.#directory);
    }
    return this.#bundle?.refresh() ?? Promise.reject(noSource());
  }

  /**
   * Asks the source of the bundle if what it last said is older than `refresh.every`: for runtimes without timers, as
   * `ctx.waitUntil(orthrus.refreshIfStale())` in Cloudflare Workers. Checks need not wait for it. Failures are told by `onRefresh` and
   * {@link Orthrus.bundle} alone; the next try comes after a second, then two, four, and so on. While another caller is asking,
   * it resolves at once.
   */
  async refreshIfStale(): Promise<void> {
    this.#opened();
    await this.#bundle?.refreshIfStale();
  }

  /** Frees the policies. All later use, except closing again, fails with a `ClosedError`. */
  close(): void {
    const policies = this.#policies;
    this.#policies = undefined;
    if (policies !== undefined) {
      this.#bundle?.stop();
      forgotten?.unregister(this);
      policies.close();
    }
  }

  /**
   * Tells of the policies that decide: now, whenever others do, and when others are refused. Gives what ends that.
   * @internal
   */
  follow(follower: Follower): () => void {
    follower.decide(this.#opened());
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /**
   * The directory or archive that the policies were read from.
   * @internal
   */
  get directory(): string | undefined {
    return this.#directory?.path;
  }

  async #reread(directory: DirectoryStore): Promise<boolean> {
    try {
      this.#replace(await directory.read());
      return true;
    } catch (error) {
      for (const follower of this.#followers) {
        follower.fail(error as OrthrusError);
      }
      throw error;
    }
  }

  /** What came of asking the source of the bundle. Where it brought others, they decide already. */
  #tell(refresh: BundleRefresh): void {
    for (const follower of this.#followers) {
      if (refresh.outcome === "failed") {
        follower.fail(refresh.error);
      } else if (refresh.outcome === "unchanged") {
        follower.confirm(this.#opened());
      }
    }
  }

  #opened(): PolicySet {
    if (this.#policies === undefined) {
      throw new ClosedError();
    }
    return this.#policies;
  }

  /** A check is made from beginning to end without a pause, so that nothing decides by the old policies any more. */
  #replace(next: PolicySet): void {
    const old = this.#policies;
    if (old === undefined) {
      next.close();
      throw new ClosedError();
    }
    this.#policies = next;
    forgotten?.unregister(this);
    forgotten?.register(this, next, this);
    for (const follower of this.#followers) {
      follower.decide(next);
    }
    old.close();
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
    const length = now === undefined ? writeFrame(write, request, auxClaims, this.#opened().reads) : 0;
    const text = length === 0 ? encode(request, auxClaims) : "";
    // After the encoding: a getter of the request may have closed the engine.
    const { native, engine, policySource } = this.#opened();
    let answer: Answer;
    try {
      answer = length === 0 ? native.checkJson(engine, text, now) : native.check(engine, frame, length);
    } catch (error) {
      if (length > 0) {
        // The engine counts from the frame; the encoder knows the paths of this request.
        encode(request, auxClaims);
      }
      throw errorFromNative(error);
    }
    const result = decode(request, answer, policySource);
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
    const { native, engine, policySource } = this.#opened();
    const answer = attempt(() => native.checkJson(engine, text, timestamp.getTime(), true));
    const { letters, details } = splitAnswer(answer);
    const callId = ulid(timestamp.getTime());
    const requestId = request.requestId ?? crypto.randomUUID();
    const { requestContext, includeMetadata } = request;
    onDecision(
      decisionLogEntry({
        callId,
        requestId,
        timestamp,
        request: text,
        auxClaims,
        requestContext,
        letters,
        details,
        policySource,
      }),
    );
    const told = withoutAudit(letters, details, includeMetadata);
    const result = decode({ ...request, requestId }, told, policySource, callId);
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
