/** Options of engines whose policies come from a bundle, beside those of all engines. */

import type { Options } from "../engine/options.js";
import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { type Duration, timeout } from "../tokens/duration.js";
import type { BundleRefresh } from "./state.js";
import { checkTrustedKeys, type TrustedKey } from "./trusted-keys.js";

/** When a source is asked again. */
export interface RefreshOptions {
  /** How old what it last said may become. Default: a minute. */
  every?: Duration | undefined;
  /**
   * Whether to ask by a timer, which does not keep the process alive. Default: where programs run between requests (Node.js,
   * browsers). Without one, `refresh` and `refreshIfStale` ask.
   */
  timer?: boolean | undefined;
}

/** Options of `Orthrus.fromBundle`, and of `Orthrus.open` where that meets a bundle. */
export interface BundleOptions extends Options {
  /**
   * Ed25519 public keys: SPKI in PEM, or JWK. A bundle that none of them has signed is refused, when it is opened and whenever it is
   * refreshed. By default signatures are not looked at: whoever can write to the source decides who may do what.
   */
  trustedKeys?: readonly TrustedKey[] | undefined;
  /** Ask the source again and again. Default: only when told to. */
  refresh?: RefreshOptions | undefined;
  /**
   * Is told what came of each asking of the source, after other policies have taken over. What it throws, `refresh` rejects with; where
   * nobody waits, it is passed over.
   */
  onRefresh?: ((refresh: BundleRefresh) => void) | undefined;
}

/** Options of bundles, checked. */
export interface CheckedBundleOptions {
  /** In PEM; `undefined` where signatures are not looked at. */
  trustedKeys: string[] | undefined;
  /** Milliseconds. */
  every: number;
  timer: boolean;
  onRefresh: ((refresh: BundleRefresh) => void) | undefined;
}

/** The names of options that concern bundles alone. */
export const BUNDLE_OPTIONS = ["trustedKeys", "refresh", "onRefresh"] as const;

const DEFAULT_EVERY = 60_000;

/** Options of bundles alone. Throws an `OptionsError`. */
export function checkBundleOptions(options: BundleOptions | undefined): CheckedBundleOptions {
  const { trustedKeys, refresh, onRefresh } = options ?? {};
  if (onRefresh !== undefined && typeof onRefresh !== "function") {
    throw new OptionsError("onRefresh", "must be a function");
  }
  return {
    trustedKeys: trustedKeys === undefined ? undefined : checkTrustedKeys(trustedKeys),
    ...checkRefresh(refresh),
    onRefresh,
  };
}

/** Refuses options that concern bundles, where a path leads to none. Throws an `OptionsError`. */
export function refuseBundleOptions(options: BundleOptions | undefined): void {
  const given = BUNDLE_OPTIONS.find((name) => options?.[name] !== undefined);
  if (given !== undefined) {
    throw new OptionsError(given, "is for bundles alone, and this path is none: make one with `orthrus bundle`");
  }
}

function checkRefresh(refresh: unknown): { every: number; timer: boolean } {
  if (refresh === undefined) {
    return { every: DEFAULT_EVERY, timer: false };
  }
  if (!isRecord(refresh)) {
    throw new OptionsError("refresh", 'must be an object, such as { every: "60s" }');
  }
  const unknown = Object.keys(refresh).find((name) => name !== "every" && name !== "timer");
  if (unknown !== undefined) {
    throw new OptionsError(`refresh.${unknown}`, unknownOption(unknown, ["every", "timer"]));
  }
  const { every, timer = runsBetweenRequests() } = refresh;
  if (typeof timer !== "boolean") {
    throw new OptionsError("refresh.timer", "must be a boolean");
  }
  return { every: timeout(every, "refresh.every", DEFAULT_EVERY), timer };
}

/**
 * Whether programs run here while nobody asks them anything. Workers and Vercel's edge do not: a timer without a request to belong to
 * is refused there, or never fires.
 */
function runsBetweenRequests(): boolean {
  const { navigator, EdgeRuntime } = globalThis as { navigator?: { userAgent?: string }; EdgeRuntime?: unknown };
  return navigator?.userAgent !== "Cloudflare-Workers" && EdgeRuntime === undefined;
}
