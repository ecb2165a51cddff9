import type { DecisionLogEntry } from "../engine/decision-log.js";
import { OptionsError } from "../errors.js";
import { optionsOf } from "../options-names.js";
import { masked } from "./mask.js";
import { parseMask, type Step } from "./mask-path.js";
import { type AuditRecord, auditRecord } from "./record.js";

/**
 * Where records go. What it throws, or rejects with, goes to the option `onError`; a writer that learns of a failure later calls
 * `onError` itself.
 */
export type AuditWriter = (record: AuditRecord, onError: (error: unknown) => void) => unknown;

/** Which calls are not written, as in `audit.decisionLogFilters` of Cerbos' configuration. */
export interface AuditFilter {
  checkResources?:
    | {
        /** Leave out calls in which nothing was denied. Default: `false`. */
        ignoreAllowAll?: boolean | undefined;
      }
    | undefined;
}

/** Options of {@link auditLog}. */
export interface AuditLogOptions {
  write: AuditWriter;
  filter?: AuditFilter | undefined;
  /**
   * What must not be shown, by paths in `checkResources` of a record, such as `inputs[*].principal.attr.ssn` or `inputs[*].auxData`:
   * it becomes `"[MASKED]"`.
   */
  mask?: readonly string[] | undefined;
  /**
   * Is told what could not be written. Default: `console.error`. Checks go on without their record, unless this throws while the
   * check is being made.
   */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * What to give to an engine as `onDecision`: writes a record about every call.
 *
 * ```js
 * const orthrus = await Orthrus.open("policies", { onDecision: auditLog({ write: consoleWriter() }) });
 * ```
 *
 * Throws an `OptionsError`.
 */
export function auditLog(options: AuditLogOptions): (entry: DecisionLogEntry) => void {
  const { write, onError, ignoreAllowAll, masks } = checkOptions(options);
  const onLaterError = (error: unknown): void => {
    try {
      onError(error);
    } catch {
      // There is no check any more that it could stop.
    }
  };
  return (entry) => {
    if (ignoreAllowAll && deniesNothing(entry)) {
      return;
    }
    const record = maskedRecord(auditRecord(entry), masks);
    try {
      const written: unknown = write(record, onLaterError);
      if (written instanceof Promise) {
        written.catch(onLaterError);
      }
    } catch (error) {
      onError(error);
    }
  };
}

function deniesNothing({ method }: DecisionLogEntry): boolean {
  return method.outputs.every(({ actions }) => Object.values(actions).every(({ effect }) => effect === "EFFECT_ALLOW"));
}

function maskedRecord(record: AuditRecord, masks: readonly Step[][]): AuditRecord {
  let { checkResources } = record;
  for (const mask of masks) {
    checkResources = masked(checkResources, mask) as AuditRecord["checkResources"];
  }
  return { ...record, checkResources };
}

/** Options after checking. */
interface CheckedOptions {
  write: AuditWriter;
  onError: (error: unknown) => void;
  ignoreAllowAll: boolean;
  masks: Step[][];
}

function checkOptions(options: AuditLogOptions): CheckedOptions {
  optionsOf(options, "", ["write", "filter", "mask", "onError"]);
  const { write, filter, mask = [], onError = console.error } = options;
  if (typeof write !== "function") {
    throw new OptionsError("write", "must be a function, such as consoleWriter()");
  }
  if (typeof onError !== "function") {
    throw new OptionsError("onError", "must be a function");
  }
  if (!Array.isArray(mask)) {
    throw new OptionsError("mask", "must be a list of paths");
  }
  const masks = mask.map((path, index) => parseMask(path, `mask[${index}]`));
  return { write, onError, ignoreAllowAll: checkFilter(filter), masks };
}

function checkFilter(filter: AuditFilter | undefined): boolean {
  const { checkResources = {} } = optionsOf(filter ?? {}, "filter", ["checkResources"]);
  const { ignoreAllowAll = false } = optionsOf(checkResources, "filter.checkResources", ["ignoreAllowAll"]);
  if (typeof ignoreAllowAll !== "boolean") {
    throw new OptionsError("filter.checkResources.ignoreAllowAll", "must be a boolean");
  }
  return ignoreAllowAll;
}
