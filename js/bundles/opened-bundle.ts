/** Opening an engine's policies from a bundle. */

import type { Native } from "../engine/native.js";
import { PolicySet } from "../engine/policy-set.js";
import { OptionsError } from "../errors.js";
import { type BundleHandle, FixedBundle } from "./handle.js";
import { type BundleOptions, type CheckedBundleOptions, checkBundleOptions } from "./options.js";
import { BundleRefresher } from "./refresher.js";
import type { BundleSource } from "./source.js";
import type { BundleIdentity, BundleRefresh } from "./state.js";
import { loadVersion, type Version } from "./version.js";

/** Policies of a bundle, before an engine decides by them. */
export interface OpenedBundle {
  readonly set: PolicySet;
  /** What the engine holds of the bundle. `install` makes it decide by other policies; `told` hears what comes of asking the source. */
  follow(install: (set: PolicySet) => void, told: (refresh: BundleRefresh) => void): BundleHandle;
}

/** What bundles are opened with. */
export interface BundleOpening extends CheckedBundleOptions {
  native: Native;
  /** JSON of `NativeBundleOptions`. */
  nativeOptions: string;
}

/** `engineOptions` are those of all engines, as the addon takes them. Throws an `OptionsError`. */
export function bundleOpening(
  native: Native,
  engineOptions: string,
  options: BundleOptions | undefined,
): BundleOpening {
  const checked = checkBundleOptions(options);
  return { ...checked, native, nativeOptions: withTrustedKeys(engineOptions, checked.trustedKeys) };
}

function withTrustedKeys(json: string, trustedKeys: string[] | undefined): string {
  if (trustedKeys === undefined) {
    return json;
  }
  return `${json.slice(0, -1)}${json === "{}" ? "" : ","}"trustedKeys":${JSON.stringify(trustedKeys)}}`;
}

/** A bundle that is there already. */
export function openBytes(bytes: Uint8Array, options: BundleOptions | undefined, opening: BundleOpening): OpenedBundle {
  const pointless = (["refresh", "onRefresh"] as const).find((name) => options?.[name] !== undefined);
  if (pointless !== undefined) {
    throw new OptionsError(
      pointless,
      "bytes stay as they are: give a source of orthrus/bundles to have it asked again",
    );
  }
  const set = PolicySet.fromBundle(opening.native, bytes, opening.nativeOptions, "bytes");
  return { set, follow: () => new FixedBundle(set.bundle as BundleIdentity, "bytes") };
}

/** The bundle that a source has. Rejects with a `BundleError` if there is none, or if it is refused. */
export async function openSource(source: BundleSource, opening: BundleOpening): Promise<OpenedBundle> {
  return openVersion(source, await loadVersion(source), opening);
}

/** A bundle that a source brought. */
export function openVersion(source: BundleSource, { bytes, mark }: Version, opening: BundleOpening): OpenedBundle {
  const { native, nativeOptions, every, timer, onRefresh } = opening;
  const load = (bytes: Uint8Array) => PolicySet.fromBundle(native, bytes, nativeOptions, source.name);
  const set = load(bytes);
  return {
    set,
    follow: (install, told) => {
      const replace = (bytes: Uint8Array): BundleIdentity => {
        const next = load(bytes);
        install(next);
        return next.bundle as BundleIdentity;
      };
      const tell = (refresh: BundleRefresh) => {
        told(refresh);
        onRefresh?.(refresh);
      };
      const refreshing = { source, install: replace, every, timer, onRefresh: tell, clock: Date.now };
      return new BundleRefresher(refreshing, set.bundle as BundleIdentity, mark);
    },
  };
}
