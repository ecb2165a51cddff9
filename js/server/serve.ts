import { loadNative } from "#platform";
import { attempt, type NativeServer, type NativeServers, type ServerEvent, type ServerQuestion } from "../engine/native.js";
import { Orthrus } from "../engine/orthrus.js";
import { OptionsError, PolicyError } from "../errors.js";
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
  checkNames(options);
  const native = loadNative() as unknown as NativeServers;
  const { log = logLine, auxData } = options;
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
  let number = 0;
  const unfollow = engine.follow((policies) => {
    number = policies.engine;
    if (running !== undefined) {
      native.serverPolicies(running, number, 0);
    }
  });
  try {
    running = attempt(() => native.serve(number, started, hear));
  } catch (error) {
    unfollow();
    throw error;
  }
  const server = running;
  keys.begin(native, server);
  // Nothing else of a server does: its threads are not JavaScript's.
  const alive = setInterval(() => undefined, 2 ** 30);
  const unwatch = options.watch === true ? watch(engine, native, server, log) : () => undefined;
  const addresses = JSON.parse(native.serverAddresses(server)) as ServerAddresses;
  let stopping: Promise<void> | undefined;
  return {
    addresses,
    stop(grace = GRACE) {
      stopping ??= (async () => {
        unwatch();
        unfollow();
        await native.stopServer(server, grace).finally(() => clearInterval(alive));
      })();
      return stopping;
    },
  };
}

function checkNames(options: unknown): void {
  if (!isRecord(options)) {
    throw new OptionsError("", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(unknown, unknownOption(unknown, OPTIONS));
  }
}

function nativeOptions(engine: Orthrus, options: ServeOptions, keys: KeyKeeper): object {
  const { server, audit, gateway, traces = true } = options;
  if (options.watch === true && engine.directory === undefined) {
    throw new OptionsError("watch", "these policies are not from a directory: a bundle is asked again by its option refresh");
  }
  const driver = engine.bundle === undefined ? (engine.directory === undefined ? "files" : "disk") : "bundle";
  return {
    config: { server, audit, gateway, tokens: keys.config, traces },
    driver,
    directory: engine.directory ?? "",
  };
}

/** Reads the policies again when their files change. Broken ones change nothing, and are told. */
function watch(engine: Orthrus, native: NativeServers, server: NativeServer, log: (event: ServerEvent) => void) {
  return watchDirectory(engine.directory as string, async () => {
    try {
      await engine.refresh();
      const fields = { policies: engine.policyCount };
      log({ level: "info", logger: "orthrus.policies", message: "the policies are read again", fields });
    } catch (error) {
      const { message } = error as Error;
      native.serverPoliciesFailed(server, message);
      const diagnostics = error instanceof PolicyError ? error.diagnostics : undefined;
      log({
        level: "error",
        logger: "orthrus.policies",
        message: "the policies that are there now are refused; those that were loaded before go on deciding",
        fields: { error: message, ...(diagnostics === undefined ? {} : { diagnostics }) },
      });
    }
  });
}

/** A line in the form of the Elastic Common Schema, as the PDP writes it. */
export function logLine({ level, logger, message, fields }: ServerEvent): void {
  const line = { "log.level": level, "@timestamp": new Date().toISOString(), "log.logger": logger, message, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
