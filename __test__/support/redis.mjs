/** A real Redis for tests, on a Unix socket, with nothing on disk. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_LIMIT = 20_000;

/**
 * Starts a server: where it listens, and how to stop it. `undefined` where there is none on the path; under CI, where
 * scripts/test.mjs can install it, that is a failure.
 */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-redis-"));
  const path = join(folder, "redis.sock");
  const child = spawn("redis-server", ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder], {
    stdio: "ignore",
  });
  const failed = new Promise((resolve) => child.once("error", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  if ((await Promise.race([listening(path), failed])) instanceof Error) {
    rmSync(folder, { recursive: true, force: true });
    if (process.env.CI && existsSync("/usr/bin/apt-get")) {
      throw new Error("there is no redis-server, which scripts/test.mjs installs");
    }
    return undefined;
  }
  return { path, stop };
}

async function listening(path) {
  const deadline = Date.now() + START_LIMIT;
  while (Date.now() < deadline) {
    if (existsSync(path) && (await answers(path))) {
      return;
    }
    await sleep(20);
  }
  throw new Error("redis-server did not start");
}

function answers(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
