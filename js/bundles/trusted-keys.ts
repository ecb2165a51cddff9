/** The keys by which bundles must be signed: Ed25519, as SPKI in PEM, which is what the engine takes, or as JWK. */

import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";

/** A public key as a JWK (RFC 8037), in a type that those of all libraries fit: `{ kty: "OKP", crv: "Ed25519", x }`. */
export interface Ed25519PublicJwk {
  kty?: string | undefined;
  crv?: string | undefined;
  /** The 32 bytes of the key in base64url. */
  x?: string | undefined;
}

/** A key whose signature is trusted: SPKI in PEM, or a JWK. */
export type TrustedKey = string | Ed25519PublicJwk;

/** What stands before the 32 bytes of an Ed25519 key in SPKI (RFC 8410, section 4), in base64: twelve bytes, which end with a group. */
const SPKI_PREFIX = "MCowBQYDK2VwAyEA";

/** The keys in PEM. Throws an `OptionsError`. */
export function checkTrustedKeys(keys: unknown): string[] {
  if (!Array.isArray(keys)) {
    throw new OptionsError("trustedKeys", "must be a list of public keys");
  }
  if (keys.length === 0) {
    throw new OptionsError("trustedKeys", "must not be empty: leave it out where signatures are not required");
  }
  return keys.map((key, index) => pemOf(key, `trustedKeys[${index}]`));
}

function pemOf(key: unknown, path: string): string {
  if (isRecord(key)) {
    return jwkToPem(key, path);
  }
  if (typeof key !== "string" || !/^\s*-----BEGIN PUBLIC KEY-----\s[\s\S]*-----END PUBLIC KEY-----\s*$/.test(key)) {
    const hint = typeof key === "string" && key.includes("PRIVATE KEY") ? ", not a private one" : "";
    throw new OptionsError(path, `must be an Ed25519 public key${hint}: SPKI in PEM (BEGIN PUBLIC KEY), or a JWK`);
  }
  return key;
}

function jwkToPem({ kty, crv, x, d }: Record<string, unknown>, path: string): string {
  if (kty !== "OKP" || crv !== "Ed25519") {
    throw new OptionsError(path, 'must be an Ed25519 key: a JWK with kty "OKP" and crv "Ed25519"');
  }
  if (d !== undefined) {
    throw new OptionsError(path, "must be a public key: d is the private one, which belongs to whoever makes bundles");
  }
  if (typeof x !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(x)) {
    throw new OptionsError(`${path}.x`, "must be 32 bytes in base64url");
  }
  const base64 = `${x.replaceAll("-", "+").replaceAll("_", "/")}=`;
  return `-----BEGIN PUBLIC KEY-----\n${SPKI_PREFIX}${base64}\n-----END PUBLIC KEY-----\n`;
}
