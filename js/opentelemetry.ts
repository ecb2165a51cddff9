/** Checks as spans and metrics of OpenTelemetry, by the names that the PDP has for them. Needs `@opentelemetry/api`. */

import {
  type Attributes,
  type Histogram,
  type Meter,
  metrics,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { Orthrus } from "./engine/orthrus.js";
import type { CheckResourceRequest, CheckResourcesRequest, IsAllowedRequest } from "./engine/request.js";
import { CheckResourcesResponse, type CheckResourcesResult } from "./engine/result.js";
import { OptionsError } from "./errors.js";
import { optionsOf } from "./options-names.js";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Default: that of the global provider, also if it is registered later. */
  tracer?: Tracer | undefined;
  /** Default: that of the global provider as it is now. */
  meter?: Meter | undefined;
  /** Whether spans tell the ids of request, principal and resources. Default: `false`. */
  ids?: boolean | undefined;
}

const SCOPE = "orthrus";

/** The bounds of the PDP's histograms. */
const LATENCY_BOUNDS = [
  0.01, 0.05, 0.1, 0.3, 0.6, 0.8, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250,
  300, 400, 500, 650, 800, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
];
const BATCH_BOUNDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50];

/** What is told of a check. */
interface Summary {
  resources: number;
  actions: number;
  allowed: number;
}

/** Where it is told. */
interface Instruments {
  tracer: Tracer;
  latency: Histogram;
  batchSize: Histogram;
  ids: boolean;
}

type AnyRequest = CheckResourcesRequest | CheckResourceRequest | IsAllowedRequest;
type Check = (request: AnyRequest, ...rest: unknown[]) => unknown;

/** The checks of an engine, and how to tell what came of each. */
const CHECKS = {
  checkResources: ofResponse,
  checkResource: ofResult,
  isAllowed: ofAnswer,
  checkResourcesSync: ofResponse,
  checkResourceSync: ofResult,
  isAllowedSync: ofAnswer,
} as const;

/** Engines that tell already. */
const instrumented = new WeakSet<Orthrus>();

/**
 * Makes the checks of an engine tell of themselves, also those of `withPrincipal`, of guards and of Workers; returns the engine. Each is
 * a span `engine.Check`, and counts in `cerbos_dev_engine_check_latency` and `cerbos_dev_engine_check_batch_size`.
 *
 * ```js
 * const orthrus = instrument(await Orthrus.open("policies"));
 * ```
 *
 * Throws an `OptionsError`.
 */
export function instrument<Engine extends Orthrus>(orthrus: Engine, options: InstrumentOptions = {}): Engine {
  const instruments = instrumentsOf(options);
  if (instrumented.has(orthrus)) {
    throw new OptionsError("", "this engine is instrumented already: each check would count twice");
  }
  instrumented.add(orthrus);
  for (const [name, summarize] of Object.entries(CHECKS)) {
    const check = orthrus[name as keyof typeof CHECKS].bind(orthrus) as Check;
    const value = told(check, summarize as (result: unknown) => Summary, instruments);
    Object.defineProperty(orthrus, name, { value, configurable: true, writable: true });
  }
  return orthrus;
}

function instrumentsOf(options: InstrumentOptions): Instruments {
  optionsOf(options, "", ["tracer", "meter", "ids"]);
  const { tracer = trace.getTracer(SCOPE), meter = metrics.getMeter(SCOPE), ids = false } = options;
  if (typeof tracer?.startActiveSpan !== "function") {
    throw new OptionsError("tracer", "must be a tracer, such as trace.getTracer()");
  }
  if (typeof meter?.createHistogram !== "function") {
    throw new OptionsError("meter", "must be a meter, such as metrics.getMeter()");
  }
  if (typeof ids !== "boolean") {
    throw new OptionsError("ids", "must be a boolean");
  }
  const latency = meter.createHistogram("cerbos_dev_engine_check_latency", {
    description: "Time to match a request against a policy and provide a decision",
    unit: "ms",
    advice: { explicitBucketBoundaries: LATENCY_BOUNDS },
  });
  const batchSize = meter.createHistogram("cerbos_dev_engine_check_batch_size", {
    description: "Batch size distribution of check requests",
    advice: { explicitBucketBoundaries: BATCH_BOUNDS },
  });
  return { tracer, latency, batchSize, ids };
}

/** A check that is told of when it has been answered. What it returns or throws is what it always does. */
function told(check: Check, summarize: (result: unknown) => Summary, instruments: Instruments): Check {
  return (request, ...rest) =>
    instruments.tracer.startActiveSpan("engine.Check", (span) => {
      const start = performance.now();
      const succeeded = (result: unknown): void =>
        end(span, () => {
          const attributes = () => attributesOf(request, result, instruments.ids);
          succeed(span, performance.now() - start, summarize(result), attributes, instruments);
        });
      const failed = (error: unknown): void =>
        end(span, () => fail(span, performance.now() - start, error, instruments.latency));
      try {
        const result = check(request, ...rest);
        if (result instanceof Promise) {
          result.then(succeeded, failed);
        } else {
          succeeded(result);
        }
        return result;
      } catch (error) {
        failed(error);
        throw error;
      }
    });
}

/** Ends a span after telling what came of it. A check does not fail because that cannot be told. */
function end(span: Span, tell: () => void): void {
  try {
    tell();
  } catch {
    // Meters and tracers of others may have faults.
  } finally {
    span.end();
  }
}

function succeed(
  span: Span,
  duration: number,
  { resources, actions, allowed }: Summary,
  attributes: () => Attributes,
  { latency, batchSize }: Instruments,
): void {
  latency.record(duration, { status: "success" });
  batchSize.record(resources);
  if (span.isRecording()) {
    const counts = {
      "cerbos.check.resources": resources,
      "cerbos.check.actions": actions,
      "cerbos.check.allowed": allowed,
    };
    span.setAttributes({ ...counts, ...attributes() });
  }
}

/** Messages quote what was asked, so only the kind of error is told. */
function fail(span: Span, duration: number, error: unknown, latency: Histogram): void {
  latency.record(duration, { status: "failure" });
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  span.setAttribute("error.type", typeof code === "string" ? code : String(name ?? typeof error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** What tells one check from another; of the ids of an application only on demand. */
function attributesOf(request: AnyRequest, result: unknown, ids: boolean): Attributes {
  const callId = result instanceof CheckResourcesResponse ? { "cerbos.call_id": result.cerbosCallId } : {};
  if (!ids) {
    return callId;
  }
  const resources = "resources" in request ? request.resources.map(({ resource }) => resource) : [request.resource];
  return {
    ...callId,
    ...(request.requestId === undefined ? {} : { "cerbos.request.id": request.requestId }),
    "cerbos.request.principal_id": request.principal.id,
    "cerbos.request.resource_ids": resources.map(({ id }) => id),
  };
}

function ofResponse({ results }: CheckResourcesResponse): Summary {
  const parts = results.map(ofResult);
  const sum = (field: "actions" | "allowed"): number => parts.reduce((total, part) => total + part[field], 0);
  return { resources: parts.length, actions: sum("actions"), allowed: sum("allowed") };
}

function ofResult({ actions }: CheckResourcesResult): Summary {
  const effects = Object.values(actions);
  const allowed = effects.filter((effect) => effect === "EFFECT_ALLOW").length;
  return { resources: 1, actions: effects.length, allowed };
}

function ofAnswer(allowed: boolean): Summary {
  return { resources: 1, actions: 1, allowed: allowed ? 1 : 0 };
}
