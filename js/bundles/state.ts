/** What is known of the bundle that decides, and what is told of attempts to replace it. */

import type { OrthrusError } from "../errors.js";

/** Which bundle it is. */
export interface BundleIdentity {
  /** The digest of its content, such as `sha256:9f86d0…`: bundles of the same policies have the same, whoever signs them. */
  readonly digest: string;
  /**
   * Which of the trusted keys signed it: the first 8 bytes of the SHA-256 of its SPKI, in hexadecimal digits. `undefined` without
   * `trustedKeys`.
   */
  readonly keyId: string | undefined;
}

/** The bundle that decides, and how it stands with its source. A snapshot: later ones are other objects. */
export interface BundleState extends BundleIdentity {
  /** The name of the source; `bytes` where it came as bytes. */
  readonly source: string;
  /** Since when it decides. */
  readonly loadedAt: Date;
  /** When the source last had this bundle, or brought it. */
  readonly checkedAt: Date;
  /** Why the last attempt to ask the source, or to load what it brought, failed; `undefined` if it did not. */
  readonly error: OrthrusError | undefined;
}

/** What came of asking the source. Whatever failed, the policies that decided before go on deciding. */
export type BundleRefresh =
  | { readonly outcome: "updated" | "unchanged"; readonly bundle: BundleState }
  | { readonly outcome: "failed"; readonly bundle: BundleState; readonly error: OrthrusError };
