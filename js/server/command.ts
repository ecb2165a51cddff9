/** `orthrus server`. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadNative } from "#platform";
import { fetchBundle } from "../bundles/fetch.js";
import { fileBundle } from "../bundles/file.js";
import type { BundleOptions } from "../bundles/options.js";
import { attempt, type NativeServers, type ServerEvent } from "../engine/native.js";
import { Orthrus } from "../engine/orthrus.js";
import { type Diagnostic, OptionsError, PolicyError } from "../errors.js";
import type { GatewayOptions } from "./gateway-options.js";
import type { ListeningOptions, ServeOptions, ServerAuditOptions } from "./options.js";
import { logLine, type Server, serve } from "./serve.js";

const HELP = `Serves decisions: Cerbos' API over HTTP and gRPC, AuthZEN, and the questions of proxies.

Usage: orthrus server [--config FILE] [--policies DIR] [OPTION...]

Options:
  --config FILE    the configuration, as the Cerbos PDP reads it (default: .cerbos.yaml, if it is there)
  --policies DIR   the policies: a directory, archive or bundle, in place of those that the configuration names
  --set KEY=VALUE  a key of the configuration, such as server.httpListenAddr=:8080; may be given several times
  --log-format F   json, or text (default: text on a terminal)
  -h, --help       print this help

It answers on :3592 (HTTP) and :3593 (gRPC) unless it is told otherwise, and reads policies of a directory again when they change.
SIGTERM and SIGINT stop it when all that is under way is answered; SIGHUP has it read its policies again.

Exit codes: 0 stopped, 1 it cannot start, 2 the arguments or the configuration are wrong.
Documentation: docs/server.md
`;

/** The configuration as the addon reads it. */
interface ConfigFile {
  file: {
    server: ListeningOptions;
    audit: ServerAuditOptions;
    storage: {
      driver?: string;
      disk?: { directory?: string; watchForChanges?: boolean };
      bundle?: { url?: string; file?: string; pollInterval?: string; trustedKeys?: string[] };
    };
    engine: object;
    schema: { enforcement?: string };
    auxData: ServeOptions["auxData"] & object;
    gateway: GatewayOptions | null;
  };
  /** `FILE:LINE:COLUMN` by path. */
  places: Record<string, string>;
  warnings: Diagnostic[];
}

class UsageError extends Error {}

/** Runs the command. Resolves to the exit code, when the server has been stopped. */
export async function runServer(args: readonly string[]): Promise<number> {
  let config: ConfigFile | undefined;
  try {
    const given = parse(args);
    if (given.help === true) {
      process.stdout.write(HELP);
      return 0;
    }
    if (given.policies === "") {
      throw new UsageError("--policies must name a directory, archive or bundle; it is empty");
    }
    const log = given.format === "json" ? logLine : logText;
    config = readConfig(given);
    for (const { rendered = "" } of config.warnings) {
      log({ level: "warn", logger: "orthrus.config", message: rendered, fields: {} });
    }
    return await run(config, given.policies, log);
  } catch (error) {
    return tell(error, config);
  }
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: "string" },
        policies: { type: "string" },
        set: { type: "string", multiple: true },
        "log-format": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const { "log-format": format = process.stderr.isTTY ? "text" : "json" } = values;
    if (!["json", "text"].includes(format)) {
      throw new UsageError(`--log-format must be json or text, got \`${format}\``);
    }
    return { ...values, format };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

const DEFAULT_FILE = ".cerbos.yaml";

function readConfig(given: { config?: string | undefined; set?: string[] | undefined }): ConfigFile {
  const overrides = (given.set ?? []).map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) {
      throw new UsageError(`--set must be KEY=VALUE, got \`${pair}\``);
    }
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const name = given.config ?? DEFAULT_FILE;
  const native = loadNative() as unknown as NativeServers;
  const text = readText(name, given.config !== undefined);
  return JSON.parse(
    attempt(() => native.readServerConfig(name, text, JSON.stringify(overrides), JSON.stringify(process.env))),
  );
}

function readText(path: string, isNeeded: boolean): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isNeeded && (cause as NodeJS.ErrnoException).code === "ENOENT") {
      return "";
    }
    throw new UsageError(`the configuration cannot be read: ${(cause as Error).message}`);
  }
}

async function run(
  config: ConfigFile,
  policies: string | undefined,
  log: (event: ServerEvent) => void,
): Promise<number> {
  const { server, audit, gateway, auxData, storage } = config.file;
  const engine = await open(config, policies);
  for (const { message } of engine.warnings) {
    log({ level: "warn", logger: "orthrus.policies", message, fields: {} });
  }
  const watch = engine.directory !== undefined && (policies !== undefined || storage.disk?.watchForChanges !== false);
  const running = await serve(engine, {
    server,
    audit,
    watch,
    log,
    ...(gateway === null ? {} : { gateway }),
    ...(auxData.jwt === undefined ? {} : { auxData }),
  });
  const fields = { http: running.addresses.http, grpc: running.addresses.grpc, policies: engine.policyCount };
  log({ level: "info", logger: "orthrus.server", message: "the server answers", fields });
  await untilStopped(engine, running, log);
  engine.close();
  return 0;
}

async function open({ file }: ConfigFile, policies: string | undefined): Promise<Orthrus> {
  const { storage, engine, schema } = file;
  const options = {
    ...engine,
    ...(schema.enforcement === undefined ? {} : { schemaEnforcement: schema.enforcement }),
  } as BundleOptions;
  if (policies !== undefined) {
    return Orthrus.open(policies, options);
  }
  const { driver = storage.bundle === undefined ? "disk" : "bundle", disk, bundle } = storage;
  if (storage.driver === undefined && disk !== undefined && bundle !== undefined) {
    throw new OptionsError("storage.driver", "there are disk and bundle: say by this key which of them counts");
  }
  if (driver === "disk") {
    if (disk?.directory === undefined || disk.directory === "") {
      throw new OptionsError("storage.disk.directory", "say where the policies are: by this key, or by --policies DIR");
    }
    return Orthrus.open(resolve(disk.directory), options);
  }
  if (driver !== "bundle") {
    throw new OptionsError("storage.driver", `there is no driver ${driver}: policies come from disk, or from a bundle`);
  }
  const { url, file: path, pollInterval = "60s", trustedKeys } = bundle ?? {};
  if ((url === undefined) === (path === undefined)) {
    throw new OptionsError("storage.bundle", "must have either url or file");
  }
  const source = url === undefined ? fileBundle(resolve(path ?? "")) : fetchBundle(url);
  return Orthrus.fromBundle(source, {
    ...options,
    refresh: { every: pollInterval },
    ...(trustedKeys === undefined ? {} : { trustedKeys: trustedKeys.map(keyText) }),
  });
}

/** A key is written there, or in a file. */
function keyText(key: string, index: number): string {
  if (key.includes("-----BEGIN")) {
    return key;
  }
  try {
    return readFileSync(key, "utf8");
  } catch (cause) {
    throw new OptionsError(`storage.bundle.trustedKeys[${index}]`, `cannot be read: ${(cause as Error).message}`);
  }
}

function untilStopped(engine: Orthrus, server: Server, log: (event: ServerEvent) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (signal: NodeJS.Signals) => {
      log({ level: "info", logger: "orthrus.server", message: `${signal}: the server stops`, fields: {} });
      server.stop().then(resolve, reject);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    // What comes of it is in the log.
    process.on("SIGHUP", () => void engine.refresh().catch(() => undefined));
  });
}

function logText({ level, logger, message, fields }: ServerEvent): void {
  // The text of an error has them for people already.
  const { diagnostics: _, ...others } = fields;
  const told = Object.entries(others).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  process.stderr.write(
    `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${logger}: ${message}${told.join("")}\n`,
  );
}

function tell(error: unknown, config: ConfigFile | undefined): number {
  const { message } = error as Error;
  if (error instanceof UsageError) {
    process.stderr.write(`orthrus: error: ${message}\nRun \`orthrus server --help\` for the options.\n`);
    return 2;
  }
  if (error instanceof OptionsError) {
    const path = keyOf(error.path);
    const place = config === undefined ? undefined : placeOf(path, config.places);
    const told = message.startsWith(error.path) ? path + message.slice(error.path.length) : message;
    process.stderr.write(`orthrus: error: ${place === undefined ? "" : `${place}: `}${told}\n`);
    return 2;
  }
  if (error instanceof PolicyError) {
    // Diagnostics of the configuration come before there is one.
    const told = config === undefined ? message.replace("in the policies", "in the configuration") : message;
    process.stderr.write(`${told.trimEnd()}\n`);
    return config === undefined ? 2 : 1;
  }
  process.stderr.write(`orthrus: error: ${message.trimEnd()}\n`);
  return 1;
}

/** The options of an engine that have another name in the configuration; the others stand below `engine`. */
const KEYS: Record<string, string> = {
  schemaEnforcement: "schema.enforcement",
  refresh: "storage.bundle.pollInterval",
  "refresh.every": "storage.bundle.pollInterval",
  trustedKeys: "storage.bundle.trustedKeys",
  url: "storage.bundle.url",
};
const ENGINE = ["globals", "defaultPolicyVersion", "defaultScope", "lenientScopeSearch", "strictEvaluation"];

/** The key of the configuration that an option comes from. */
function keyOf(path: string): string {
  const name = /^[^.[]*/.exec(path)?.[0] ?? "";
  if (ENGINE.includes(name)) {
    return `engine.${path}`;
  }
  return KEYS[path] ?? (KEYS[name] === undefined ? path : KEYS[name] + path.slice(name.length));
}

/** Where an option stands in the configuration, or what is around it. */
function placeOf(path: string, places: Record<string, string>): string | undefined {
  const steps = path.replaceAll("[", ".").replaceAll("]", "").split(".");
  for (let end = steps.length; end > 0; end--) {
    const place = places[steps.slice(0, end).join(".")];
    if (place !== undefined) {
      return place;
    }
  }
  return undefined;
}
