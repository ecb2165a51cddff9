import { OptionsError } from "../errors.js";
import type { AuditWriter } from "./audit-log.js";

/** What is needed of a logger such as pino. */
export interface InfoLogger {
  info(record: object): unknown;
}

/** Writes each record as a line of JSON to the console: in Cloudflare Workers, to their logs. */
export function consoleWriter(): AuditWriter {
  return (record) => console.log(JSON.stringify(record));
}

/** Hands each record to a logger, which adds what it adds to all its lines. Throws an `OptionsError`. */
export function pinoWriter(logger: InfoLogger): AuditWriter {
  if (typeof logger?.info !== "function") {
    throw new OptionsError("logger", "must be a logger with a method info, such as pino()");
  }
  return (record) => {
    logger.info(record);
  };
}
