/** The workers of `examples/workers` as they are deployed, in workerd. */

import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Miniflare } from "miniflare";
import { exampleFolder } from "../../../scripts/lib/examples.mjs";

const OUT = join(exampleFolder("workers"), "out");

/** The modules of a worker as wrangler packs them. */
function packed(name) {
  const folder = join(OUT, name);
  const wasm = readdirSync(folder).filter((file) => file.endsWith(".wasm"));
  return {
    name,
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: join(folder, "index.js") },
      ...wasm.map((file) => ({ type: "CompiledWasm", path: join(folder, file) })),
    ],
    compatibilityDate: "2026-03-01",
  };
}

/** The bundle of policies, and the public key that it is signed by. */
export const bundle = () => new Uint8Array(readFileSync(join(OUT, "policies.orb"))).buffer;
export const publicKey = () => JSON.parse(readFileSync(join(OUT, "public.jwk"), "utf8")).x;

/**
 * Starts the pair, with keys and tokens of an issuer. Resolves to `{ url, lines, kv, close }`: `lines` is what the workers have
 * logged, `kv(worker, binding)` a namespace. `policies: false` leaves KV empty, `entry` is the worker that requests reach.
 */
export async function startPair(issuer, { policies = true, entry = "auth", bindings = {}, config = {} } = {}) {
  const lines = [];
  const auth = {
    ...packed("auth"),
    bindings: { ...identityProvider(issuer), ...bindings },
    serviceBindings: { AUTHZ_WORKER: "authz" },
    kvNamespaces: ["IDENTITY"],
    ...config,
  };
  const authz = {
    ...packed("authz"),
    bindings: { POLICIES_KEY: publicKey() },
    serviceBindings: { ORIGIN: "origin" },
    kvNamespaces: ["POLICIES"],
  };
  const workers = entry === "auth" ? [auth, authz, packed("origin")] : [authz, auth, packed("origin")];
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    workers,
    handleRuntimeStdio: (out, err) => {
      for (const stream of [out, err]) {
        stream.setEncoding("utf8");
        createInterface({ input: stream }).on("line", (line) => lines.push(line));
      }
    },
  });
  const url = await miniflare.ready;
  const kv = async (worker, binding) => miniflare.getKVNamespace(binding, worker);
  if (policies) {
    await (await kv("authz", "POLICIES")).put("policies.orb", bundle());
  }
  return { url, lines, kv, close: () => miniflare.dispose() };
}

/** Starts a worker that does all of it. Resolves to `{ url, close }`. */
export async function startOne(name, issuer) {
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    handleRuntimeStdio: (out, err) => {
      out.resume();
      err.resume();
    },
    workers: [
      {
        ...packed(name),
        bindings: { ...identityProvider(issuer), POLICIES_KEY: publicKey() },
        ...(name === "single" ? { serviceBindings: { ORIGIN: "origin" } } : {}),
        kvNamespaces: ["IDENTITY", "POLICIES"],
      },
      packed("origin"),
    ],
  });
  const url = await miniflare.ready;
  await (await miniflare.getKVNamespace("POLICIES", name)).put("policies.orb", bundle());
  return { url, close: () => miniflare.dispose() };
}

const identityProvider = (issuer) => ({
  AUTH_JWKS_URL: issuer.jwksUrl,
  AUTH_ISSUER: issuer.url,
  AUTH_AUDIENCE: "https://api.example.com",
});

/** Asks by HTTP, with the path exactly as it is given. Resolves to `{ status, headers, body }`, the body parsed. */
export function ask(url, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: url.hostname, port: url.port, path, method, headers }, (response) => {
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => {
        let parsed = text;
        try {
          parsed = JSON.parse(text);
        } catch {
          // Not ours.
        }
        resolve({ status: response.statusCode, headers: response.headers, body: parsed });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
