import { loadNative } from "#platform";
import {
  attempt,
  type EngineNumber,
  type NativeServer,
  type NativeServers,
  type ServerEvent,
  type ServerQuestion,
} from "../engine/native.js";
import { type Follower, Orthrus } from "../engine/orthrus.js";
import type { PolicySet } from "../engine/policy-set.js";
import { OptionsError, type OrthrusError, PolicyError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { KeyKeeper } from "./keys.js";
import type { ServeOptions, ServerAddresses } from "./options.js";
import { watchDirectory } from "./watch.js";

const OPTIONS = ["server", "audit", "auxData", "gateway", "watch", "traces", "log"];

/** How long what is under way may take when a server stops. */
const GRACE = 30_000;

/** A server that runs. */
export interface Server {
  readonly addresses: ServerAddresses;
  /** Stops: no connection is accepted any more, and what is under way has so many milliseconds (default: 30,000) to end. */
  stop(grace?: number): Promise<void>;
}

/**
 * Starts a server that decides by an engine, on threads of its own: it answers while JavaScript is busy. When the engine gets other
 * policies, so does the server. The process stays until it is stopped.
 *
 * ```js
 * const server = await serve(await Orthrus.open("policies"), { server: { httpListenAddr: "127.0.0.1:3592" }, watch: true });
 * ```
 *
 * Rejects with `OptionsError`, or a `ServerError` where a socket cannot be had.
 */
export async function serve(engine: Orthrus, options: ServeOptions = {}): Promise<Server> {
  if (!(engine instanceof Orthrus)) {
    throw new OptionsError("engine", "must be an engine of the addon: an Orthrus of `orthrus`, in Node.js");
  }
  checkOptions(options);
  const native = loadNative() as unknown as NativeServers;
  const { auxData } = options;
  const log = logger(options.log);
  const keys = new KeyKeeper(auxData?.jwt);
  let running: NativeServer | undefined;
  const hear = (text: string) => {
    const heard = JSON.parse(text) as ServerEvent | ServerQuestion;
    if (!("ask" in heard)) {
      log(heard);
    } else if (running !== undefined) {
      const server = running;
      keys.answer(native, server, heard).then(
        (answer) => native.serverAnswer(server, heard.number, undefined, answer),
        (error: Error) => native.serverAnswer(server, heard.number, error.message, false),
      );
    }
  };
  const started = JSON.stringify(nativeOptions(engine, options, keys));
  const policies = new PolicyFollower(native, log);
  const unfollow = engine.follow(policies);
  try {
    running = attempt(() => native.serve(policies.engine, started, hear));
  } catch (error) {
    unfollow();
    throw error;
  }
  policies.server = running;
  const server = running;
  keys.begin(native, server);
  // Nothing else of a server does: its threads are not JavaScript's.
  const alive = setInterval(() => undefined, 2 ** 30);
  const unwatch = options.watch === true ? watch(engine) : () => undefined;
  const addresses = JSON.parse(native.serverAddresses(server)) as ServerAddresses;
  let stopping: Promise<void> | undefined;
  return {
    addresses,
    stop(grace = GRACE) {
      stopping ??= (async () => {
        unwatch();
        unfollow();
        try {
          await native.stopServer(server, grace);
          // What it has told meanwhile is heard before it is over.
          await new Promise((resolve) => setImmediate(resolve));
        } finally {
          clearInterval(alive);
        }
      })();
      return stopping;
    },
  };
}

function checkOptions(options: unknown): void {
  if (!isRecord(options)) {
    throw new OptionsError("", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(unknown, unknownOption(unknown, OPTIONS));
  }
  for (const name of ["watch", "traces"]) {
    if (!["undefined", "boolean"].includes(typeof options[name])) {
      throw new OptionsError(name, "must be a boolean");
    }
  }
  const { log } = options;
  if (log !== undefined && typeof log !== "function") {
    throw new OptionsError("log", "must be a function");
  }
}

/** What the application's function does not take is told by a line. */
function logger(log: ServeOptions["log"]): (event: ServerEvent) => void {
  if (log === undefined) {
    return logLine;
  }
  return (event) => {
    try {
      log(event);
    } catch (error) {
      logLine(event);
      logLine({ level: "error", logger: "orthrus.server", message: `the option log throws: ${error}`, fields: {} });
    }
  };
}

function nativeOptions(engine: Orthrus, options: ServeOptions, keys: KeyKeeper): object {
  const { server, audit, gateway, traces = true } = options;
  if (options.watch === true && engine.directory === undefined) {
    throw new OptionsError(
      "watch",
      "these policies are not from a directory: a bundle is asked again by its option refresh",
    );
  }
  const driver = engine.bundle === undefined ? (engine.directory === undefined ? "files" : "disk") : "bundle";
  return {
    config: { server, audit, gateway, tokens: keys.config, traces },
    driver,
    directory: engine.directory ?? "",
  };
}

/** Reads the policies again when their files change. */
function watch(engine: Orthrus): () => void {
  // What comes of it is told by whoever follows the engine.
  return watchDirectory(engine.directory as string, () => engine.refresh().then(nothing, nothing));
}

const nothing = () => undefined;

/** Has a server decide by the policies that an engine decides by. */
class PolicyFollower implements Follower {
  /** Those that decide now. */
  engine: EngineNumber = 0;
  server: NativeServer | undefined;
  readonly #native: NativeServers;
  readonly #log: (event: ServerEvent) => void;
  #isFailing = false;

  constructor(native: NativeServers, log: (event: ServerEvent) => void) {
    this.#native = native;
    this.#log = log;
  }

  decide({ engine }: PolicySet): void {
    this.engine = engine;
    if (this.server !== undefined) {
      this.#native.serverPolicies(this.server, engine);
      this.#isFailing = false;
      this.#log({
        level: "info",
        logger: "orthrus.policies",
        message: "other policies decide from now on",
        fields: {},
      });
    }
  }

  confirm(policies: PolicySet): void {
    if (this.#isFailing) {
      this.decide(policies);
    }
  }

  fail(error: OrthrusError): void {
    if (this.server === undefined) {
      return;
    }
    this.#isFailing = true;
    this.#native.serverPoliciesFailed(this.server, error.message);
    this.#log({
      level: "error",
      logger: "orthrus.policies",
      message:
        "the policies that are there now are refused, or cannot be had; those that were loaded before go on deciding",
      fields: { error: error.message, ...(error instanceof PolicyError ? { diagnostics: error.diagnostics } : {}) },
    });
  }
}

/** A line in the form of the Elastic Common Schema, as the PDP writes it. */
export function logLine({ level, logger, message, fields }: ServerEvent): void {
  const line = { "log.level": level, "@timestamp": new Date().toISOString(), "log.logger": logger, message, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
