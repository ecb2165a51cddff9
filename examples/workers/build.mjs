/**
 * Makes what is deployed: the policies as a signed bundle, and the workers as wrangler packs them. All of it is in `out/`.
 *
 * A pair of keys is made once, for trying. Keep your own private key where your policies are built, and nowhere else.
 */

import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile, makeBundle } from "orthrus";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const report = await compile(here("policies"));
if (!report.ok) {
  throw new Error(`the policies, or their tests, are not in order: ${JSON.stringify(report, null, 2)}`);
}

mkdirSync(here("out"), { recursive: true });
if (!existsSync(here("out/private.pem"))) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(here("out/private.pem"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(here("out/public.jwk"), JSON.stringify(publicKey.export({ format: "jwk" })));
}
const bundle = await makeBundle(here("policies"), { signKey: readFileSync(here("out/private.pem"), "utf8") });
writeFileSync(here("out/policies.orb"), bundle);
const { x } = JSON.parse(readFileSync(here("out/public.jwk"), "utf8"));
console.log(`policies.orb: ${bundle.length} bytes, signed; POLICIES_KEY = "${x}"`);

for (const worker of ["authz", "auth", "origin", "single", "hono"]) {
  const args = [
    "wrangler",
    "deploy",
    "--dry-run",
    "--outdir",
    here(`out/${worker}`),
    "--config",
    here(`${worker}/wrangler.toml`),
  ];
  const { status, stdout, stderr } = spawnSync("npx", args, {
    cwd: here("."),
    encoding: "utf8",
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" },
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    throw new Error(`wrangler cannot pack ${worker}:\n${stdout}${stderr}`);
  }
  console.log(`${worker}: ${/Total Upload: .*/.exec(stdout)?.[0] ?? stdout}`);
}
