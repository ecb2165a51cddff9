/** Where the policies of a decision came from, as far as they have a name: the policies of a bundle do. */

import type { BundleIdentity } from "../bundles/state.js";

/** A bundle, in the shape that `@cerbos/core` has for policies inside a program. */
export interface PolicySource {
  kind: "embeddedPDP";
  /** The name of the source, such as `https://policies.example.com/policies.orb`, or `bytes`. */
  url: string;
  /** The digest once more, where programs that know Cerbos look for a version. */
  commit: string;
  /** The digest of the bundle, such as `sha256:9f86d0…`. */
  digest: string;
  /** The trusted key that signed it; absent without `trustedKeys`. */
  keyId?: string;
}

/** How decisions tell of a bundle. */
export function policySource({ digest, keyId }: BundleIdentity, url: string): PolicySource {
  return { kind: "embeddedPDP", url, commit: digest, digest, ...(keyId === undefined ? {} : { keyId }) };
}
