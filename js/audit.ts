/** The audit log of an engine: lines as the PDP's file backend writes them, from what `onDecision` is told. */

export { type AuditFilter, type AuditLogOptions, type AuditWriter, auditLog } from "./audit/audit-log.js";
export { type NdjsonFile, type NdjsonFileOptions, ndjsonFile } from "./audit/ndjson-file.js";
export type { AuditRecord } from "./audit/record.js";
export { consoleWriter, type InfoLogger, pinoWriter } from "./audit/writers.js";
export { AuditError } from "./errors.js";
