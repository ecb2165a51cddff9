/** What the tests of the server share: servers, the real PDP, and clients that nobody here wrote. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Orthrus } from "orthrus";
import { serve } from "orthrus/server";
import { cerbos } from "../differential/binary.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const CONFORMANCE = join(ROOT, "../shared/conformance/cerbos");

/** Whether the corpora are here: tests that need them are skipped with a visible line, or fail in continuous integration. */
export const hasCorpus = existsSync(CONFORMANCE);
if (!hasCorpus) {
  if (process.env.CI) {
    throw new Error(`the conformance corpora are not at ${CONFORMANCE}`);
  }
  console.log("SKIPPED: the conformance corpora are not here");
}

/** Says nothing of what happens, but keeps it. */
export function eventsOf() {
  const events = [];
  const log = (event) => events.push(event);
  return { events, log };
}

const LOOPBACK = { httpListenAddr: "127.0.0.1:0", grpcListenAddr: "127.0.0.1:0" };

/** Starts a server on free ports, which ends with the test. */
export async function startServer(t, policies, { engine = {}, ...options } = {}) {
  const orthrus = typeof policies === "string" ? await Orthrus.open(policies, engine) : policies;
  const { events, log } = eventsOf();
  const server = await serve(orthrus, { log, ...options, server: { ...LOOPBACK, ...options.server } });
  t.after?.(() => server.stop(1000));
  const { http, grpc } = server.addresses;
  return { orthrus, server, events, url: `http://${http}`, http, grpc };
}

/** The requests of a URL with JSON, as status and parsed body. */
export async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parsed(text), text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The path of the real PDP; `undefined` where it is not installed, which continuous integration does. */
export const pdpBinary = await cerbos({ install: Boolean(process.env.CI) });
if (pdpBinary === undefined) {
  console.log("SKIPPED: the Cerbos PDP is not installed (npm run test:differential installs it)");
}

/** Starts the real PDP with a configuration, which ends with the test. */
export async function startPdp(t, config) {
  const folder = temporary(t);
  const [http, grpc] = [await freePort(), await freePort()];
  const path = join(folder, "config.json");
  const { server, ...rest } = config;
  const full = {
    ...rest,
    server: { httpListenAddr: `127.0.0.1:${http}`, grpcListenAddr: `127.0.0.1:${grpc}`, ...server },
    telemetry: { disabled: true },
  };
  writeFileSync(path, JSON.stringify(full));
  const child = spawn(pdpBinary, ["server", `--config=${path}`, "--log-level=error"], { stdio: "ignore" });
  t.after(() => child.kill());
  const url = `http://127.0.0.1:${http}`;
  await until(() =>
    fetch(`${url}/_cerbos/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url, grpc: `127.0.0.1:${grpc}`, folder, child };
}

/** A directory that goes with the test. */
export function temporary(t) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-server-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function until(is, limit = 30_000) {
  const deadline = Date.now() + limit;
  while (!(await is())) {
    if (Date.now() > deadline) {
      throw new Error("it did not come to pass");
    }
    await sleep(20);
  }
}

/** Starts `orthrus server`; resolves when it has said that it answers, or has ended. */
export async function startCommand(t, args, { cwd, env = {} } = {}) {
  const child = spawn(process.execPath, [join(ROOT, "bin/orthrus.js"), "server", ...args], {
    cwd: cwd ?? ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const exited = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  t.after(() => child.kill("SIGKILL"));
  let code;
  exited.then((value) => {
    code = value;
  });
  const events = () =>
    stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  const answers = () => events().find(({ message }) => message === "the server answers");
  await until(() => code !== undefined || answers() !== undefined);
  return {
    child,
    exited,
    events,
    code: () => code,
    stdout: () => stdout,
    stderr: () => stderr,
    http: answers()?.http,
    grpc: answers()?.grpc,
  };
}
