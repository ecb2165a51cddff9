/** Spans for OpenTelemetry, by the variables of the environment. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { BinaryReader } from "./clients/index.mjs";
import { post, startCommand, until } from "./support.mjs";

const REQUEST = {
  principal: { id: "ann", roles: ["user"] },
  resources: [{ resource: { kind: "document", id: "secret-id" }, actions: ["view", "edit"] }],
};

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

/** Takes what is exported; `bodies` are the messages (`ExportTraceServiceRequest`). */
async function startCollector(t) {
  const collector = { bodies: [], paths: [] };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      collector.bodies.push(Buffer.concat(chunks));
      collector.paths.push(request.url);
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  collector.url = `http://127.0.0.1:${server.address().port}`;
  return collector;
}

/** The fields of a message by number, those that hold bytes. */
function fields(bytes) {
  const reader = new BinaryReader(bytes);
  const found = {};
  while (reader.pos < reader.len) {
    const [number, kind] = reader.tag();
    if (kind === 2) {
      found[number] = [...(found[number] ?? []), reader.bytes()];
    } else {
      reader.skip(kind);
    }
  }
  return found;
}

const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");

/** The spans of a message (`resource_spans` 1, `scope_spans` 2, `spans` 2). */
function spansOf(body) {
  const inner = (list, number) => list.flatMap((bytes) => fields(bytes)[number] ?? []);
  return inner(inner(fields(body)[1] ?? [], 2), 2).map((bytes) => {
    const {
      1: [trace],
      2: [id],
      4: [parent] = [],
      5: [name],
    } = fields(bytes);
    return {
      trace: hex(trace),
      id: hex(id),
      parent: hex(parent),
      name: Buffer.from(name).toString(),
      text: Buffer.from(bytes).toString(),
    };
  });
}

const ARGS = [
  "--policies",
  "policies",
  "--set",
  "server.httpListenAddr=127.0.0.1:0",
  "--set",
  "server.grpcListenAddr=127.0.0.1:0",
];

/** Asks once, stops the server, and gives what it has exported. */
async function exported(t, env, headers = {}) {
  const collector = await startCollector(t);
  const exporter = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const server = await startCommand(t, ARGS, { env: { ...exporter, ...env } });
  const { status } = await post(`http://${server.http}/api/check/resources`, REQUEST, headers);
  assert.equal(status, 200);
  server.child.kill("SIGTERM");
  assert.equal(await server.exited, 0);
  return { spans: collector.bodies.flatMap(spansOf), paths: collector.paths };
}

describe("traces", () => {
  test("a call and its check are spans below that of the caller", async (t) => {
    const { spans, paths } = await exported(t, {}, { traceparent: `00-${TRACE}-${PARENT}-01` });
    assert.ok(paths.every((path) => path === "/v1/traces"));
    const call = spans.find(({ name }) => name === "cerbos.svc.v1.CerbosService/CheckResources");
    const check = spans.find(({ name }) => name === "engine.Check");
    assert.deepEqual([call.trace, call.parent], [TRACE, PARENT]);
    assert.deepEqual([check.trace, check.parent], [TRACE, call.id]);
    assert.match(check.text, /cerbos\.resources/);
    assert.doesNotMatch(check.text + call.text, /secret-id|ann/, "they tell nothing of what is asked");
  });

  test("nothing is sampled unless the caller does", async (t) => {
    assert.deepEqual((await exported(t, {})).spans, []);
    assert.deepEqual((await exported(t, {}, { traceparent: `00-${TRACE}-${PARENT}-00` })).spans, []);
  });

  test("or the environment says so", async (t) => {
    const { spans } = await exported(t, { OTEL_TRACES_SAMPLER: "always_on" });
    assert.equal(spans.length, 2);
  });

  test("without an endpoint, or where it is disabled, there are none", async (t) => {
    const on = { OTEL_TRACES_SAMPLER: "always_on" };
    assert.deepEqual((await exported(t, { ...on, OTEL_EXPORTER_OTLP_ENDPOINT: "" })).paths, []);
    assert.deepEqual((await exported(t, { ...on, OTEL_SDK_DISABLED: "true" })).paths, []);
  });

  test("a collector that is not there disturbs nothing", async (t) => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_TRACES_SAMPLER: "always_on",
    };
    const server = await startCommand(t, ARGS, { env });
    assert.equal((await post(`http://${server.http}/api/check/resources`, REQUEST)).status, 200);
    server.child.kill("SIGTERM");
    await until(() => server.code() !== undefined, 20_000);
    assert.equal(server.code(), 0);
  });
});
