/** `orthrus bundle` as a function. */

import { whenReady } from "#platform";
import { OptionsError } from "../errors.js";
import { unknownOption } from "../options-names.js";
import { errorFromNative, type NativeMakeOptions } from "./native.js";
import { storePath } from "./store-path.js";

/** Options of {@link makeBundle}, as those of the command. */
export interface MakeBundleOptions {
  /** The private key to sign by: Ed25519, PKCS #8 in PEM. By default the bundle is not signed. */
  signKey?: string | undefined;
  /** Whether the schemas of attributes are left out; such a bundle can never enforce them. Default: `false`. */
  ignoreSchemas?: boolean | undefined;
}

/**
 * Compiles the policies of a directory or archive into a bundle, off the calling thread: the bytes for `Orthrus.fromBundle`. The same
 * policies give the same bytes.
 *
 * Rejects with `StoreError` (cannot be read), `PolicyError` (refused), `OptionsError` or `BinaryError`.
 */
export async function makeBundle(dir: string | URL, options: MakeBundleOptions = {}): Promise<Uint8Array> {
  const path = storePath(dir);
  const native = encodeOptions(options);
  try {
    return await (await whenReady()).makeBundle(path, JSON.stringify(native));
  } catch (error) {
    throw errorFromNative(error);
  }
}

const KNOWN = ["signKey", "ignoreSchemas"];

function encodeOptions(options: MakeBundleOptions): NativeMakeOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError("", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(unknown, unknownOption(unknown, KNOWN));
  }
  const { signKey, ignoreSchemas = false } = options;
  if (signKey !== undefined && typeof signKey !== "string") {
    throw new OptionsError("signKey", "must be the text of a private key in PEM");
  }
  if (typeof ignoreSchemas !== "boolean") {
    throw new OptionsError("ignoreSchemas", "must be a boolean");
  }
  return { ignoreSchemas, ...(signKey === undefined ? {} : { signKey }) };
}
