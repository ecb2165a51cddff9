/** Runs the proxies on their configurations, on the ports of these or on others. */

import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The ports that stand in the configurations. */
export const PORTS = { orthrus: 3592, orthrusGrpc: 3593, origin: 9000, issuer: 9001 };

/** Each proxy by name: its program, its configuration, its ports there, without TLS and with it, and how it is started. */
export const PROXIES = {
  caddy: {
    program: "caddy",
    config: "caddy/Caddyfile",
    port: 8001,
    tls: 8101,
    args: (config) => ["run", "--config", config, "--adapter", "caddyfile"],
  },
  nginx: {
    program: "nginx",
    config: "nginx/nginx.conf",
    port: 8002,
    tls: 8102,
    args: (config, folder) => ["-p", folder, "-c", config],
  },
  "envoy-http": {
    program: "envoy",
    config: "envoy/envoy-http.yaml",
    port: 8003,
    tls: 8103,
    admin: 8013,
    args: (config) => ["-c", config, "--log-level", "error", "--concurrency", "1", "--use-dynamic-base-id"],
  },
  "envoy-grpc": {
    program: "envoy",
    config: "envoy/envoy-grpc.yaml",
    port: 8004,
    tls: 8104,
    admin: 8014,
    args: (config) => ["-c", config, "--log-level", "error", "--concurrency", "1", "--use-dynamic-base-id"],
  },
};

/** The path of a program; `undefined` where it is not installed. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  const variable = process.env[`${name.toUpperCase()}_BINARY`];
  return [variable, ...folders.map((folder) => join(folder, name))].find((path) => path && existsSync(path));
}

/**
 * Starts a proxy with the `certificates` of a folder; `ports` stand in place of those in its configuration. Resolves to
 * `{ port, tls, output, stop }`.
 */
export async function startProxy(name, certificates, { port, tls, admin, ...ports } = {}) {
  const proxy = PROXIES[name];
  const program = findProgram(proxy.program);
  if (program === undefined) {
    throw new Error(`${proxy.program} is not installed`);
  }
  const folder = mkdtempSync(join(tmpdir(), `orthrus-${name}-`));
  // nginx gives up the rights of root, and still has to reach its files.
  chmodSync(folder, 0o755);
  const config = join(folder, proxy.config.split("/").at(-1));
  // The configurations name the certificates as they lie beside them.
  cpSync(certificates, join(folder, "certificates"), { recursive: true });
  const listening = { port: port ?? proxy.port, tls: tls ?? proxy.tls };
  const replaced = {
    ...replacing(ports),
    [proxy.port]: listening.port,
    [proxy.tls]: listening.tls,
    [proxy.admin]: admin ?? proxy.admin,
  };
  const text = readFileSync(here(proxy.config), "utf8");
  writeFileSync(
    config,
    text.replace(/\b\d{4}\b/g, (number) => replaced[number] ?? number),
  );
  const child = spawn(program, proxy.args(config, folder), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = async () => (await accepts(listening.port)) && (await accepts(listening.tls));
  for (const deadline = Date.now() + 20_000; !(await isReady()); await sleep(50)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${name} does not start:\n${output}`);
    }
  }
  return { ...listening, output: () => output, stop };
}

function replacing(ports) {
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [PORTS[name], port]));
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
