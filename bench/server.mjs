/**
 * The server beside the PDP: the same requests to both over loopback, one after the other, by h2load (Debian: nghttp2-client).
 *
 *   node bench/server.mjs [--requests N]   default: 100,000 for orthrus, a tenth for the PDP
 *
 * Prints throughput and latency of both, over HTTP/1.1 and gRPC, and their memory with few policies and with many.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installPeers } from "./install.mjs";
import { requestOfMany, requestOfOne } from "./peers/cerbos-requests.mjs";
import { table } from "./table.mjs";
import { questions, writePolicies } from "./workload.mjs";

const { values: flags } = parseArgs({ options: { requests: { type: "string", default: "100000" } } });
const REQUESTS = Number(flags.requests);
const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

installPeers();
const folder = mkdtempSync(join(tmpdir(), "orthrus-bench-server-"));
const POLICIES = 100;

const SERVERS = {
  "Cerbos PDP": {
    http: 4592,
    grpc: 4593,
    share: 0.1,
    command: () => [require.resolve(`@cerbos/cerbos-${process.platform}-${process.arch}`), "server"],
    extra: "telemetry: { disabled: true }\n",
    quiet: ["--log-level=error"],
  },
  orthrus: {
    http: 4692,
    grpc: 4693,
    share: 1,
    command: () => [process.execPath, join(root, "bin/orthrus.js"), "server"],
    extra: "",
    quiet: [],
  },
};

const [{ user, rows }] = questions(100, 1, 1);
const one = requestOfOne(user, rows[0]);
const ONE = {
  requestId: "bench",
  principal: one.principal,
  resources: [{ resource: one.resource, actions: one.actions }],
};
const [many] = questions(100, 1, 50);
const MANY = { requestId: "bench", ...requestOfMany(many.user, many.rows) };

async function start(name, policies) {
  const { http, grpc, command, extra, quiet } = SERVERS[name];
  const config = join(folder, `${http}.yaml`);
  writeFileSync(
    config,
    `server: { httpListenAddr: "127.0.0.1:${http}", grpcListenAddr: "127.0.0.1:${grpc}" }\n` +
      `storage: { driver: disk, disk: { directory: ${JSON.stringify(policies)}, watchForChanges: false } }\n${extra}`,
  );
  const [path, ...args] = command();
  const child = spawn(path, [...args, `--config=${config}`, ...quiet], { stdio: "ignore" });
  const url = `http://127.0.0.1:${http}`;
  const serves = () =>
    fetch(`${url}/_cerbos/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await serves())) {
    await sleep(50);
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  };
  return { child, url, grpc: `http://127.0.0.1:${grpc}`, stop };
}

/** `{ rate, p50, p99 }`, times in milliseconds. */
function load(args, url, count) {
  const log = join(folder, "latencies");
  const told = execFileSync("h2load", ["-t1", "-n", String(count), `--log-file=${log}`, ...args, url], {
    encoding: "utf8",
  });
  if (!told.includes(` ${count} succeeded, 0 failed`)) {
    throw new Error(told);
  }
  const times = readFileSync(log, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split("\t")[2]))
    .sort((left, right) => left - right);
  rmSync(log);
  const at = (share) => times[Math.floor((times.length - 1) * share)] / 1000;
  return { rate: Number(/([\d.]+) req\/s/.exec(told)[1]), p50: at(0.5), p99: at(0.99) };
}

/** A message with the header that gRPC puts before it. */
function framed(bytes) {
  const frame = Buffer.alloc(5 + bytes.length);
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}

async function encode(request) {
  const { fromJson, toBinary } = await import("@bufbuild/protobuf");
  const { CheckResourcesRequestSchema } = await import("@cerbos/api/cerbos/request/v1/request_pb");
  return framed(toBinary(CheckResourcesRequestSchema, fromJson(CheckResourcesRequestSchema, request)));
}

/** Resident memory, and the part of it that is not the program's file, in MB. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
  return { resident: of("VmRSS"), own: of("RssAnon") };
}

const effects = ({ results }) => results.map(({ actions }) => Object.entries(actions).sort().join());

async function decided(url, request) {
  const response = await fetch(`${url}/api/check/resources`, { method: "POST", body: JSON.stringify(request) });
  return JSON.stringify(effects(await response.json()));
}

const LOADS = [
  ["HTTP, 1 resource", ONE, "http", ["--h1", "-c16"], 1],
  ["HTTP, 50 resources", MANY, "http", ["--h1", "-c16"], 0.1],
  ["gRPC, 1 resource", ONE, "grpc", ["-c4", "-m16"], 1],
  ["gRPC, 50 resources", MANY, "grpc", ["-c4", "-m16"], 0.1],
];

/** A load on a server, after a fifth of it that is not measured. */
async function loaded(server, [, request, protocol, args, share], requests) {
  const body = join(folder, "body");
  writeFileSync(body, protocol === "http" ? JSON.stringify(request) : await encode(request));
  const headers =
    protocol === "http" ? ["-Hcontent-type: application/json"] : ["-Hcontent-type: application/grpc", "-Hte: trailers"];
  const url =
    protocol === "http"
      ? `${server.url}/api/check/resources`
      : `${server.grpc}/cerbos.svc.v1.CerbosService/CheckResources`;
  const count = Math.round(requests * share);
  load([...args, "-d", body, ...headers], url, Math.round(count / 5));
  return load([...args, "-d", body, ...headers], url, count);
}

const results = {};
const answers = {};
const memories = {};
for (const [name, { share }] of Object.entries(SERVERS)) {
  results[name] = {};
  memories[name] = {};
  for (const count of [POLICIES, 1000, 10_000]) {
    const { directory, remove } = writePolicies(count);
    const server = await start(name, directory);
    if (count === POLICIES) {
      answers[name] = [await decided(server.url, ONE), await decided(server.url, MANY)];
      for (const each of LOADS) {
        results[name][each[0]] = await loaded(server, each, REQUESTS * share);
      }
    } else {
      await loaded(server, LOADS[0], REQUESTS * share);
    }
    memories[name][count] = memory(server.child.pid);
    await server.stop();
    remove();
  }
}
rmSync(folder, { recursive: true, force: true });

if (JSON.stringify(answers["Cerbos PDP"]) !== JSON.stringify(answers.orthrus)) {
  throw new Error("the two do not decide alike");
}
const { "Cerbos PDP": theirs, orthrus: ours } = results;
const times = (ratio) => `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`;
console.log(
  table(
    ["", "PDP: requests/s", "p50", "p99", "orthrus: requests/s", "p50", "p99", "throughput", "p99"],
    LOADS.map(([title]) => [
      title,
      ...[theirs, ours].flatMap((it) => [
        Math.round(it[title].rate).toLocaleString("en-US"),
        `${it[title].p50.toFixed(2)} ms`,
        `${it[title].p99.toFixed(2)} ms`,
      ]),
      times(ours[title].rate / theirs[title].rate),
      `1/${(theirs[title].p99 / ours[title].p99).toFixed(0)}`,
    ]),
  ),
);
const megabytes = (value) => `${value.toFixed(0)} MB`;
console.log(`\n${
  table(
    ["memory after it, with policies", "PDP: resident", "not the program", "orthrus: resident", "not the program", "resident", "not the program"],
    Object.entries(memories.orthrus).map(([count, own]) => {
      const pdp = memories["Cerbos PDP"][count];
      return [
        Number(count).toLocaleString("en-US"),
        ...[pdp.resident, pdp.own, own.resident, own.own].map(megabytes),
        ...[own.resident / pdp.resident, own.own / pdp.own].map((ratio) => ratio.toFixed(2)),
      ];
    }),
  )
}`);
