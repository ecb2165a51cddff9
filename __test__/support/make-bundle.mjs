/** Bundles as `orthrus bundle` makes them, and keys to sign them by. */

import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const command = fileURLToPath(new URL("../../bin/orthrus.js", import.meta.url));

/** An Ed25519 key pair: `{ privateKey, publicKey, jwk }`, the first two in PEM. */
export function signingKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    publicKey: publicKey.export({ type: "spki", format: "pem" }),
    jwk: publicKey.export({ format: "jwk" }),
  };
}

/** The bytes of a bundle of files (texts by path), signed by a private key in PEM if one is given. */
export async function makeBundle(files, privateKey) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-make-bundle-"));
  try {
    const [policies, output, key] = ["policies", "policies.orb", "key.pem"].map((name) => join(folder, name));
    mkdirSync(policies);
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(policies, name), text);
    }
    if (privateKey !== undefined) {
      writeFileSync(key, privateKey);
    }
    const signed = privateKey === undefined ? [] : ["--sign-key", key];
    await promisify(execFile)(process.execPath, [command, "bundle", policies, "-o", output, ...signed]);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
