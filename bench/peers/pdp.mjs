import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { maskOfResult, masksOfResponse, requestOfMany, requestOfOne } from "./cerbos-requests.mjs";

const require = createRequire(import.meta.url);
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 20;

/** Thrown where this peer cannot take part; the run goes on without it and says so. */
export class Unavailable extends Error {}

function binaryPath() {
  const name = `@cerbos/cerbos-${process.platform}-${process.arch}`;
  try {
    return require.resolve(name);
  } catch {
    throw new Unavailable(`Cerbos PDP over gRPC: ${name} is not installed (it is an optional dependency of bench/)`);
  }
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer().once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const serves = (url) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** Starts a PDP on a free port of the loopback interface; resolves when it serves, with the time that took. */
async function start(directory, environment) {
  const [http, grpc] = await freePorts(2);
  const started = performance.now();
  const child = spawn(
    binaryPath(),
    [
      "server",
      "--log-level=error",
      "--set=storage.driver=disk",
      `--set=storage.disk.directory=${directory}`,
      "--set=storage.disk.watchForChanges=false",
      `--set=server.httpListenAddr=127.0.0.1:${http}`,
      `--set=server.grpcListenAddr=127.0.0.1:${grpc}`,
      "--set=telemetry.disabled=true",
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, CERBOS_NO_TELEMETRY: "1", ...environment } },
  );
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const ended = new Promise((resolve) => {
    child.once("error", resolve);
    child.once("exit", resolve);
  });
  let running = true;
  ended.then(() => {
    running = false;
  });
  const killWithParent = () => child.kill("SIGKILL");
  process.once("exit", killWithParent);

  const stop = async () => {
    child.kill("SIGTERM");
    const limit = setTimeout(killWithParent, STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
    process.off("exit", killWithParent);
  };

  // Asked over HTTP: a gRPC client that finds nobody waits a second before it tries again.
  while (running && performance.now() - started < START_LIMIT_MS) {
    if (await serves(`http://127.0.0.1:${http}/_cerbos/health`)) {
      return { target: `127.0.0.1:${grpc}`, stop, loadMs: performance.now() - started };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await stop();
  throw new Error(`the PDP did not serve within ${START_LIMIT_MS / 1000} s: ${complaint.trim() || "no output"}`);
}

/**
 * The Cerbos PDP beside the application, asked over gRPC. It paces its own loading to spare memory; the setting that
 * makes it load fast is timed, too, on a start of its own, so that both figures are on the table.
 */
export async function pdp(directory) {
  const unpaced = await start(directory, { CERBOS_RULE_TABLE_GC_PERCENT: "100" });
  await unpaced.stop();
  const { target, stop, loadMs } = await start(directory, {});
  const { GRPC } = await import("@cerbos/grpc");
  const client = new GRPC(target, { tls: false });
  return {
    name: "Cerbos PDP over gRPC",
    mode: "async",
    remote: true,
    loadMs,
    loadUnpacedMs: unpaced.loadMs,
    one: async (user, row) => maskOfResult(await client.checkResource(requestOfOne(user, row))),
    many: async (user, rows) => masksOfResponse(await client.checkResources(requestOfMany(user, rows))),
    close: async () => {
      client.close();
      await stop();
    },
  };
}
