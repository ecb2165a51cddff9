/** What the audit log and OpenTelemetry take and give. Compiled, never run. */

import { metrics, trace } from "@opentelemetry/api";
import { type DecisionLogEntry, Orthrus, type Value } from "orthrus";
import {
  AuditError,
  type AuditLogOptions,
  type AuditRecord,
  type AuditWriter,
  auditLog,
  consoleWriter,
  type NdjsonFile,
  ndjsonFile,
  pinoWriter,
} from "orthrus/audit";
import { type InstrumentOptions, instrument } from "orthrus/opentelemetry";
import { Orthrus as WasmOrthrus } from "orthrus/wasm";
import { pino } from "pino";

const file: NdjsonFile = ndjsonFile(new URL("file:///var/log/audit.log"), {
  maxFileSizeMB: 100,
  maxFileAgeDays: 10,
  maxFileCount: 10,
});

/** A writer of one's own, such as a queue. */
const queue: AuditWriter = async (record: AuditRecord, onError) => {
  const inputs: Value | undefined = record.checkResources["inputs"];
  onError(new Error(JSON.stringify(inputs)));
};

const options: AuditLogOptions = {
  write: file.write,
  filter: { checkResources: { ignoreAllowAll: true } },
  mask: ["inputs[*].principal.attr.ssn"] as const,
  onError: (error) => console.error(error instanceof AuditError ? error.dropped : error),
};

export const engines: Orthrus[] = [
  Orthrus.openSync("policies", { onDecision: auditLog(options) }),
  Orthrus.openSync("policies", { onDecision: auditLog({ write: pinoWriter(pino()) }) }),
  Orthrus.openSync("policies", { onDecision: auditLog({ write: queue }) }),
];
export const log: (entry: DecisionLogEntry) => void = auditLog({ write: consoleWriter() });
export const closed: Promise<void> = file.flush().then(() => file.close());

const telemetry: InstrumentOptions = { tracer: trace.getTracer("app"), meter: metrics.getMeter("app"), ids: true };
export const told: Orthrus = instrument(Orthrus.openSync("policies"), telemetry);
export const toldByWasm: WasmOrthrus = instrument(WasmOrthrus.fromFilesSync({}));

// @ts-expect-error: nothing writes
auditLog({ mask: [] });
// @ts-expect-error: a path of a file is no writer
auditLog({ write: "audit.log" });
// @ts-expect-error: no engine
instrument({});
