import { OptionsError } from "../errors.js";
import type { BundleIdentity, BundleState } from "./state.js";

/** What an engine holds of the bundle that it decides by. */
export interface BundleHandle {
  readonly state: BundleState;
  refresh(): Promise<boolean>;
  refreshIfStale(): Promise<void>;
  stop(): void;
}

/** A bundle that came as bytes, and stays. */
export class FixedBundle implements BundleHandle {
  readonly state: BundleState;

  constructor(loaded: BundleIdentity, source: string) {
    const now = new Date();
    this.state = { ...loaded, source, loadedAt: now, checkedAt: now, error: undefined };
  }

  refresh(): Promise<boolean> {
    return Promise.reject(noSource());
  }

  refreshIfStale(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {}
}

/** The error of asking a source where there is none. */
export function noSource(): OptionsError {
  return new OptionsError(
    "bundle",
    "these policies have no source that could be asked again: open the engine with a source of orthrus/bundles, or with the path of a bundle",
  );
}
