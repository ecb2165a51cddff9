import type { BundleIdentity } from "../bundles/state.js";
import type { Diagnostic } from "../errors.js";
import { AttributesRead } from "./attributes.js";
import { attempt, type EngineNumber, type Native, type NativeBundle } from "./native.js";
import { type PolicySource, policySource } from "./policy-source.js";

/** Policies as they were loaded, whole: a decision is made by one of them, however often they are replaced. */
export class PolicySet {
  readonly native: Native;
  readonly engine: EngineNumber;
  /** Which attributes the policies read. */
  readonly reads: AttributesRead;
  /** The bundle they came from. */
  readonly bundle: BundleIdentity | undefined;
  /** The same, as decisions tell it. */
  readonly policySource: PolicySource | undefined;
  #warnings: readonly Diagnostic[] | undefined;

  /** `source` names where a bundle came from. */
  constructor(native: Native, engine: EngineNumber, source?: string) {
    this.native = native;
    this.engine = engine;
    this.reads = new AttributesRead(native, engine);
    if (source !== undefined) {
      const { digest, keyId } = JSON.parse(attempt(() => native.bundle(engine))) as NativeBundle;
      this.bundle = { digest, keyId };
      this.policySource = policySource(this.bundle, source);
    }
  }

  /** The policies of a bundle. Throws what refuses it. */
  static fromBundle(native: Native, bytes: Uint8Array, options: string, source: string): PolicySet {
    return new PolicySet(
      native,
      attempt(() => native.fromBundle(bytes, options)),
      source,
    );
  }

  /** What is doubtful about the policies. */
  get warnings(): readonly Diagnostic[] {
    this.#warnings ??= JSON.parse(attempt(() => this.native.warnings(this.engine))) as Diagnostic[];
    return this.#warnings;
  }

  /** Frees the policies. */
  close(): void {
    attempt(() => this.native.close(this.engine));
  }
}
