/** What OpenTelemetry is told of checks, by its real SDKs. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { Orthrus as NodeOrthrus, OptionsError } from "orthrus";
import { auditLog } from "orthrus/audit";
import { instrument } from "orthrus/opentelemetry";
import { ENGINES } from "../support/engines.mjs";

const FILES = {
  "document.json": JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "document",
      version: "default",
      rules: [{ actions: ["view"], roles: ["user"], effect: "EFFECT_ALLOW" }],
    },
  }),
};
const PRINCIPAL = { id: "ann", roles: ["user"], attr: { secret: "hunter2" } };
const RESOURCE = { kind: "document", id: "7", attr: { secret: "hunter2" } };
const ONE = { principal: PRINCIPAL, resource: RESOURCE, actions: ["view", "edit"] };
const MANY = {
  principal: PRINCIPAL,
  requestId: "r-1",
  resources: [
    { resource: RESOURCE, actions: ["view", "edit"] },
    { resource: { ...RESOURCE, id: "8" }, actions: ["view"] },
  ],
};
const QUESTION = { principal: PRINCIPAL, resource: RESOURCE, action: "view" };

const spans = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const tracer = provider.getTracer("test");

/** A meter of its own, and what it has been told since. */
function metricsOf() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    meter: provider.getMeter("test"),
    async told() {
      await provider.forceFlush();
      const [{ scopeMetrics }] = exporter.getMetrics();
      await provider.shutdown();
      return Object.fromEntries(scopeMetrics[0].metrics.map((metric) => [metric.descriptor.name, metric]));
    },
  };
}

/** The attributes of the spans since the last test. */
const attributes = () => spans.getFinishedSpans().map((span) => span.attributes);
const counts = (resources, actions, allowed) => ({
  "cerbos.check.resources": resources,
  "cerbos.check.actions": actions,
  "cerbos.check.allowed": allowed,
});

before(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
after(async () => {
  context.disable();
  await provider.shutdown();
});
afterEach(() => spans.reset());

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`checks of ${engine}`, { skip }, () => {
    const open = (options, telemetry) => instrument(Orthrus.fromFilesSync(FILES, options), { tracer, ...telemetry });

    test("are spans by the name of the PDP's, with numbers alone", async () => {
      const orthrus = open();
      const response = await orthrus.checkResources(MANY);
      await orthrus.checkResource(ONE);
      await orthrus.isAllowed(QUESTION);
      await orthrus.isAllowed({ ...QUESTION, action: "edit" });
      const callId = { "cerbos.call_id": response.cerbosCallId };
      const expected = [{ ...counts(2, 3, 2), ...callId }, counts(1, 2, 1), counts(1, 1, 1), counts(1, 1, 0)];
      assert.deepEqual(attributes(), expected);
      assert.deepEqual([...new Set(spans.getFinishedSpans().map(({ name }) => name))], ["engine.Check"]);
      assert.ok(spans.getFinishedSpans().every(({ duration }) => duration[1] > 0 && duration[0] === 0));
    });

    test("are spans without promises, and for one principal, too", async () => {
      const orthrus = open();
      orthrus.checkResourcesSync(MANY);
      orthrus.checkResourceSync(ONE);
      orthrus.isAllowedSync(QUESTION);
      const ann = orthrus.withPrincipal(PRINCIPAL);
      await ann.checkResources({ resources: MANY.resources });
      await ann.isAllowed({ resource: RESOURCE, action: "view" });
      ann.checkResourceSync({ resource: RESOURCE, actions: ["view"] });
      const told = attributes().map((one) => Object.values(one).slice(0, 3));
      assert.deepEqual(told, [
        [2, 3, 2],
        [1, 2, 1],
        [1, 1, 1],
        [2, 3, 2],
        [1, 1, 1],
        [1, 1, 1],
      ]);
    });

    test("answer as they always do", async () => {
      const [orthrus, quiet] = [open(), Orthrus.fromFilesSync(FILES)];
      assert.deepEqual(orthrus.checkResourceSync(ONE), quiet.checkResourceSync(ONE));
      assert.deepEqual(await orthrus.checkResource(ONE), await quiet.checkResource(ONE));
      assert.equal(await orthrus.isAllowed(QUESTION), true);
      const aborted = AbortSignal.abort();
      await assert.rejects(orthrus.isAllowed(QUESTION, { signal: aborted }), { name: "AbortError" });
    });

    test("tell ids on demand", async () => {
      const orthrus = open({}, { ids: true });
      await orthrus.checkResources(MANY);
      orthrus.isAllowedSync(QUESTION);
      const ids = attributes().map((one) =>
        Object.fromEntries(Object.entries(one).filter(([name]) => name.startsWith("cerbos.request."))),
      );
      const ann = { "cerbos.request.principal_id": "ann" };
      assert.deepEqual(ids, [
        { "cerbos.request.id": "r-1", ...ann, "cerbos.request.resource_ids": ["7", "8"] },
        { ...ann, "cerbos.request.resource_ids": ["7"] },
      ]);
    });

    test("have the id of their line in the audit log", async () => {
      const records = [];
      const orthrus = open({ onDecision: auditLog({ write: (record) => records.push(record) }) });
      await orthrus.checkResources(MANY);
      assert.equal(attributes()[0]["cerbos.call_id"], records[0].callId);
    });

    test("that fail tell the kind of error, and not its message", async () => {
      const { meter, told } = metricsOf();
      const orthrus = open({}, { meter });
      const wrong = { ...QUESTION, principal: { id: "ann", roles: ["user"], attr: { secret: Number.NaN } } };
      await assert.rejects(orthrus.isAllowed(wrong), { code: "REQUEST_INVALID" });
      await assert.rejects(orthrus.isAllowed(QUESTION, { signal: AbortSignal.abort() }), { name: "AbortError" });
      orthrus.close();
      assert.throws(() => orthrus.isAllowedSync(QUESTION), { code: "ENGINE_CLOSED" });
      const failures = spans.getFinishedSpans();
      assert.deepEqual(
        failures.map(({ attributes, status, events }) => [attributes, status, events]),
        ["REQUEST_INVALID", "AbortError", "ENGINE_CLOSED"].map((type) => [
          { "error.type": type },
          { code: SpanStatusCode.ERROR },
          [],
        ]),
      );
      const { dataPoints } = (await told()).cerbos_dev_engine_check_latency;
      assert.deepEqual(
        dataPoints.map(({ attributes, value }) => [attributes, value.count]),
        [[{ status: "failure" }, 3]],
      );
    });

    test("are within the span that is active, and what they do within theirs", async () => {
      let active;
      const decodeJWTPayload = async () => {
        await new Promise(setImmediate);
        active = trace.getActiveSpan()?.spanContext().spanId;
        return { sub: "ann" };
      };
      const orthrus = open({ decodeJWTPayload });
      const parent = await tracer.startActiveSpan("request", async (span) => {
        await orthrus.isAllowed({ ...QUESTION, auxData: { jwt: { token: "x" } } });
        span.end();
        return span.spanContext();
      });
      const [check] = spans.getFinishedSpans();
      assert.equal(check.name, "engine.Check");
      assert.equal(check.parentSpanContext.spanId, parent.spanId);
      assert.equal(active, check.spanContext().spanId);
    });

    test("count in the metrics of the PDP", async () => {
      const { meter, told } = metricsOf();
      const orthrus = open({}, { meter });
      await orthrus.checkResources(MANY);
      orthrus.isAllowedSync(QUESTION);
      const { cerbos_dev_engine_check_latency: latency, cerbos_dev_engine_check_batch_size: batchSize } = await told();
      const [{ attributes, value }] = latency.dataPoints;
      assert.deepEqual([latency.descriptor.unit, attributes, value.count], ["ms", { status: "success" }, 2]);
      assert.ok(value.sum > 0 && value.sum < 1000);
      assert.deepEqual([value.buckets.boundaries[0], value.buckets.boundaries.at(-1)], [0.01, 100_000]);
      const [batch] = batchSize.dataPoints;
      assert.deepEqual([batch.attributes, batch.value.count, batch.value.sum], [{}, 2, 3]);
      assert.deepEqual(batch.value.buckets.counts.slice(0, 4), [0, 1, 1, 0]);
    });

    test("do not fail because they cannot be told of", async () => {
      const meter = { createHistogram: () => ({ record: () => assert.fail("a fault of a meter") }) };
      const orthrus = open({ decodeJWTPayload: async () => ({}) }, { meter, ids: true });
      assert.equal(orthrus.isAllowedSync(QUESTION), true);
      assert.equal(await orthrus.isAllowed(QUESTION), true);
      assert.equal(await orthrus.isAllowed({ ...QUESTION, auxData: { jwt: { token: "x" } } }), true);
      assert.equal(spans.getFinishedSpans().length, 3);
    });

    test("of other engines cost nothing: they are the methods of the class", () => {
      open();
      const orthrus = Orthrus.fromFilesSync(FILES);
      assert.deepEqual(Reflect.ownKeys(orthrus), []);
      for (const name of ["checkResources", "checkResource", "isAllowed", "checkResourcesSync", "isAllowedSync"]) {
        assert.equal(orthrus[name], NodeOrthrus.prototype[name]);
      }
      orthrus.isAllowedSync(QUESTION);
      assert.equal(spans.getFinishedSpans().length, 0);
    });
  });
}

describe("instrument", { skip: ENGINES[0].skip }, () => {
  const open = () => NodeOrthrus.fromFilesSync(FILES);

  test("takes the global provider, also a later one", () => {
    const orthrus = instrument(open());
    orthrus.isAllowedSync(QUESTION);
    trace.setGlobalTracerProvider(provider);
    orthrus.isAllowedSync(QUESTION);
    trace.disable();
    const [span, ...others] = spans.getFinishedSpans();
    assert.deepEqual([span.instrumentationScope.name, others.length], ["orthrus", 0]);
  });

  test("returns the engine itself", () => {
    const orthrus = open();
    assert.equal(instrument(orthrus), orthrus);
    assert.deepEqual(Object.keys(orthrus), []);
  });

  for (const [options, path] of [
    [null, ""],
    [{ tracers: tracer }, "tracers"],
    [{ tracer: {} }, "tracer"],
    [{ meter: {} }, "meter"],
    [{ ids: "all" }, "ids"],
  ]) {
    test(`refuses options that are wrong: ${path || "all"}`, () => {
      const orthrus = open();
      assert.throws(
        () => instrument(orthrus, options),
        (error) => error instanceof OptionsError && error.path === path,
      );
      assert.deepEqual(Reflect.ownKeys(orthrus), []);
    });
  }

  test("refuses an engine that is instrumented already", () => {
    const orthrus = instrument(open());
    assert.throws(() => instrument(orthrus), /instrumented already/);
  });
});
