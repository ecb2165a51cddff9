/** Runs all three workers on this machine by `wrangler dev`, with an identity provider to try them, and prints tokens for it. */

import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AUDIENCE, startIssuer } from "./issuer.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const port = process.env.PORT ?? "8787";
const env = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" };
const shell = process.platform === "win32";

const issuer = await startIssuer(Number(process.env.ISSUER_PORT ?? 8790));
const { x } = JSON.parse(readFileSync(here("out/public.jwk"), "utf8"));

const kept = ["--local", "--persist-to", here("out/state")];
const put = [
  "wrangler",
  "kv",
  "key",
  "put",
  "policies.orb",
  "--binding",
  "POLICIES",
  "--path",
  here("out/policies.orb"),
];
const { status, stderr } = spawnSync("npx", [...put, ...kept, "--config", here("authz/wrangler.toml")], {
  cwd: here("."),
  env,
  shell,
  encoding: "utf8",
});
if (status !== 0) {
  throw new Error(`the policies cannot be put into KV:\n${stderr}`);
}

const configs = ["auth", "authz", "origin"].flatMap((worker) => ["--config", here(`${worker}/wrangler.toml`)]);
// What is not as in wrangler.toml here; each worker reads its own file.
for (const [worker, vars] of Object.entries({
  auth: { AUTH_JWKS_URL: issuer.jwksUrl, AUTH_ISSUER: issuer.url, AUTH_AUDIENCE: AUDIENCE },
  authz: { POLICIES_KEY: x },
})) {
  writeFileSync(
    here(`${worker}/.dev.vars`),
    Object.entries(vars)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(""),
  );
}
const wrangler = spawn(
  "npx",
  ["wrangler", "dev", ...configs, ...kept, "--ip", "127.0.0.1", "--port", port, "--show-interactive-dev-session=false"],
  { cwd: here("."), env, shell, stdio: ["ignore", "inherit", "inherit"] },
);
wrangler.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => wrangler.kill(signal));
}

for (const [sub, roles] of Object.entries({ ann: ["user"], max: ["user", "premium"], root: ["admin"] })) {
  console.log(`\n${sub} (${roles.join(", ")}):\n  ${await issuer.token({ sub, roles })}`);
}
console.log(`\nTry: curl -H "authorization: Bearer TOKEN" http://127.0.0.1:${port}/profile/ann`);
