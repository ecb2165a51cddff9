/** The examples that are packages of their own: how they are installed with the package of this checkout, built and started. */

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addonName, stageMain } from "../package.mjs";
import { currentPlatform, inRoot, install, npm } from "./project.mjs";

/** The folder of an example. */
export const exampleFolder = (name) => inRoot("examples", name);

/**
 * Installs an example: its locked dependencies, unless they are there, and the package as it is built now.
 *
 * The package is a copy and no link, as it is for users: behind a link, Node.js would find React and the SDKs that the
 * checkout has for its tests, and the example's pages would run on two Reacts.
 */
export async function installExample(name) {
  const folder = exampleFolder(name);
  const staged = await stagePackage();
  await install(folder);
  const installed = join(folder, "node_modules", "orthrus");
  rmSync(installed, { recursive: true, force: true });
  cpSync(staged, installed, { recursive: true });
  return folder;
}

/** Lays out the package where the manifests of the examples look for it, with the addon of this platform in it. */
async function stagePackage() {
  const out = inRoot("target", "package");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const folder = stageMain(out);
  const addon = addonName(await currentPlatform());
  cpSync(inRoot(addon), join(folder, addon));
  // The addon is in it already: the packages of the platforms, which may not be published yet, are not to be asked for.
  const path = join(folder, "package.json");
  const { optionalDependencies: _, ...published } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

/** The examples that are packages. */
export const exampleNames = () =>
  readdirSync(inRoot("examples")).filter((name) => existsSync(join(exampleFolder(name), "package.json")));

/** The manifest of an example. */
export const exampleManifest = (name) => JSON.parse(readFileSync(join(exampleFolder(name), "package.json"), "utf8"));

/** Runs the script `build` of an installed example, if it has one. */
export async function buildExample(name, env, options = {}) {
  await npm(["run", "build", "--if-present"], { ...options, cwd: exampleFolder(name), env });
}

/**
 * Runs the script `start` of an installed and built example, which listens on `port`. Resolves, when the application answers,
 * to `{ url, output, ended, stop }`: `output()` is all that it has printed, and `ended` resolves to its exit code.
 */
export async function startExample(name, { port, env = {}, show = false }) {
  const url = `http://localhost:${port}`;
  const { scripts } = exampleManifest(name);
  let output = "";
  const child = spawn(scripts.start, {
    cwd: exampleFolder(name),
    env: { ...process.env, PORT: String(port), PATH: binPath(name), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    shell: true,
    // A group of its own, so that what the shell starts ends with it.
    detached: process.platform !== "win32",
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      if (show) process.stdout.write(text);
    });
  }
  const ended = new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      if (process.platform === "win32") spawnSync("taskkill", ["/pid", String(child.pid), "/t", "/f"]);
      else process.kill(-child.pid, "SIGTERM");
    }
    return ended;
  };
  try {
    await answering(url, ended);
  } catch (error) {
    await stop();
    throw new Error(`examples/${name} ${error.message}:\n${output}`);
  }
  return { url, output: () => output, ended, stop };
}

const binPath = (name) => [join(exampleFolder(name), "node_modules", ".bin"), process.env.PATH].join(delimiter);

/** Waits until something answers at an address, for a minute at most. */
async function answering(url, ended) {
  let running = true;
  ended.then(() => {
    running = false;
  });
  for (const start = Date.now(); Date.now() - start < 60_000; ) {
    try {
      await fetch(url, { redirect: "manual" });
      return;
    } catch {
      if (!running) throw new Error("ended before it answered");
      await sleep(100);
    }
  }
  throw new Error("did not answer within a minute");
}

/** A port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "localhost", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
