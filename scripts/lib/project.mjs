/** Where things are, how a command is run, and how dependencies are installed. Needs nothing but Node.js. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const CI = Boolean(process.env.CI);

/** A path below the root. */
export const inRoot = (...parts) => join(ROOT, ...parts);

/** The manifest of the main package. */
export const manifest = () => JSON.parse(readFileSync(inRoot("package.json"), "utf8"));

/** A command that failed. */
export class CommandFailed extends Error {}

/**
 * Runs a command in the root. Its output is shown as it comes; with `onLine` it is also handed over line by line, and with
 * `quiet` only handed over. Resolves to the exit code, or rejects with `CommandFailed` unless `mayFail`.
 */
export function run(command, args, { env = {}, cwd = ROOT, onLine, quiet = false, mayFail = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: onLine === undefined ? "inherit" : ["inherit", "pipe", "inherit"],
    });
    if (onLine !== undefined) {
      let rest = "";
      child.stdout.setEncoding("utf8");
      child.stdout.on("data", (chunk) => {
        if (!quiet) {
          process.stdout.write(chunk);
        }
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        lines.forEach(onLine);
      });
      child.stdout.on("end", () => rest !== "" && onLine(rest));
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0 || mayFail) {
        resolve(code ?? 1);
      } else {
        reject(new CommandFailed(`${command} ${args.join(" ")}: ${signal ?? `exit code ${code}`}`));
      }
    });
  });
}

/** All that a command prints. */
export async function output(command, args, options = {}) {
  const lines = [];
  await run(command, args, { ...options, quiet: true, onLine: (line) => lines.push(line) });
  return lines.join("\n");
}

/** Runs the binary of an installed npm package by this Node.js, which works alike on every system. */
export function runTool(packageName, args, options) {
  return run(process.execPath, [toolPath(packageName), ...args], options);
}

function toolPath(packageName) {
  const folder = inRoot("node_modules", ...packageName.split("/"));
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : Object.values(bin)[0]);
}

/** Runs npm: the one that runs this script, else the one that came with this Node.js, else the one on the path. */
export function npm(args, options) {
  const cli = npmCli();
  return cli === undefined ? run("npm", args, options) : run(process.execPath, [cli, ...args], options);
}

function npmCli() {
  const bundled = ["node_modules/npm/bin/npm-cli.js", "../lib/node_modules/npm/bin/npm-cli.js"];
  const candidates = [
    process.env.npm_execpath?.endsWith("npm-cli.js") ? process.env.npm_execpath : undefined,
    ...bundled.map((path) => join(process.execPath, "..", path)),
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** Installs the locked dependencies of a folder, unless they are there for its lock file and this platform. */
export async function install(folder = ROOT) {
  const lock = readFileSync(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).update(`${process.platform}-${process.arch}`).digest("hex");
  const stamp = join(folder, "node_modules", ".orthrus-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
    return;
  }
  console.log(`Installing the locked dependencies of ${relative(ROOT, folder) || "the project"} (npm ci)`);
  await npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** The platform suffix of addons and packages, such as `linux-x64-gnu`; only after the TypeScript is built. */
export async function currentPlatform() {
  const { default: addon } = await import(new URL("../../dist/engine/addon.js", import.meta.url));
  return addon.currentPlatform();
}

/** The time since a moment (milliseconds), for a person. */
export function elapsed(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}
