/** Spans, exported to a collector of our own, as the variables of OpenTelemetry say. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { describe, test } from "node:test";
import { certificates } from "./certificates.mjs";
import { BinaryReader, grpc } from "./clients/index.mjs";
import { reflectedClient } from "./grpc.mjs";
import { freePort, post, startCommand, temporary, until } from "./support.mjs";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [view]
      roles: [user]
      effect: EFFECT_ALLOW
`;
const CHECK = {
  principal: { id: "somebody", roles: ["user"], attr: { mail: "somebody@example.com" } },
  resources: [
    { resource: { kind: "doc", id: "1" }, actions: ["view", "edit"] },
    { resource: { kind: "doc", id: "2" }, actions: ["view"] },
  ],
};
const METHOD = "cerbos.svc.v1.CerbosService/CheckResources";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const SAMPLED = { traceparent: `00-${TRACE}-${CALLER}-01` };
const NOT_SAMPLED = { traceparent: `00-${TRACE}-${CALLER}-00` };

/** The fields of a message: `[number, bytes or number]`. */
function fields(bytes) {
  const reader = new BinaryReader(bytes);
  const found = [];
  while (reader.pos < reader.len) {
    const [number, kind] = reader.tag();
    if (kind === 2) {
      found.push([number, reader.bytes()]);
    } else if (kind === 0) {
      found.push([number, Number(reader.uint64())]);
    } else {
      reader.skip(kind);
    }
  }
  return found;
}
const all = (bytes, number) => fields(bytes).flatMap(([field, value]) => (field === number ? [value] : []));
const text = (bytes) => Buffer.from(bytes ?? []).toString();
const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");

/** Attributes by name, with values that are texts or numbers. */
const attributes = (list) =>
  Object.fromEntries(
    list.map((pair) => {
      const [kind, value] = fields(all(pair, 2)[0])[0];
      return [text(all(pair, 1)[0]), kind === 1 ? text(value) : value];
    }),
  );

/** The spans of an `ExportTraceServiceRequest`. */
function spansOf(bytes) {
  return all(bytes, 1).flatMap((ofResource) => {
    const service = attributes(all(all(ofResource, 1)[0], 1))["service.name"];
    return all(ofResource, 2).flatMap((ofScope) =>
      all(ofScope, 2).map((span) => ({
        service,
        trace: hex(all(span, 1)[0]),
        id: hex(all(span, 2)[0]),
        parent: hex(all(span, 4)[0]),
        name: text(all(span, 5)[0]),
        kind: all(span, 6)[0],
        attributes: attributes(all(span, 9)),
        status: all(all(span, 15)[0] ?? Buffer.alloc(0), 3)[0] ?? 0,
      })),
    );
  });
}

/** Takes spans over HTTP, with TLS where there is a certificate. */
async function collectHttp(t, tls) {
  const collected = { requests: 0, spans: [], bytes: "" };
  const listening = (answer) => (tls === undefined ? createServer(answer) : createSecureServer(pem(tls), answer));
  const server = listening(async (request, response) => {
    const parts = [];
    for await (const part of request) {
      parts.push(part);
    }
    const body = Buffer.concat(parts);
    collected.requests++;
    collected.path = request.url;
    collected.headers = request.headers;
    collected.bytes += body.toString("latin1");
    collected.spans.push(...spansOf(body));
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  collected.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${server.address().port}`;
  return collected;
}

const pem = ({ cert, key }) => ({ cert: readFileSync(cert), key: readFileSync(key) });

/** Takes spans over gRPC, with TLS where there is a certificate. */
async function collectGrpc(t, tls) {
  const collected = { requests: 0, spans: [] };
  const server = new grpc.Server();
  const same = (value) => value;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const method = { path, requestStream: false, responseStream: false };
  const shapes = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { Export: { ...method, ...shapes } },
    {
      Export({ request }, callback) {
        collected.requests++;
        collected.spans.push(...spansOf(request));
        callback(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise((resolve, reject) => {
    const { cert: cert_chain, key: private_key } = tls === undefined ? {} : pem(tls);
    const credentials =
      tls === undefined
        ? grpc.ServerCredentials.createInsecure()
        : grpc.ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
  t.after(() => server.forceShutdown());
  collected.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return collected;
}

/** None of those that the tests themselves may run with. */
const NONE = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith("OTEL_"))
    .map((name) => [name, ""]),
);

/** Starts a server, has it asked, and stops it: then all is exported. */
async function run(t, env, ask) {
  const cwd = temporary(t);
  mkdirSync(join(cwd, "policies"));
  writeFileSync(join(cwd, "policies/doc.yaml"), POLICY);
  const loopback = ["--set", "server.httpListenAddr=127.0.0.1:0", "--set", "server.grpcListenAddr=127.0.0.1:0"];
  const server = await startCommand(t, ["--policies", "policies", ...loopback], { cwd, env: { ...NONE, ...env } });
  await ask(server);
  server.child.kill();
  assert.equal(await server.exited, 0, server.stderr());
  return server;
}

const check = (headers) => async (server) => {
  const { status } = await post(`http://${server.http}/api/check/resources`, CHECK, headers);
  assert.equal(status, 200);
};
const exported = ({ url }, more = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  ...more,
});
const ALWAYS = { OTEL_TRACES_SAMPLER: "always_on" };

/** The spans of a call and its check. */
function two(collected) {
  assert.equal(collected.spans.length, 2, collected.spans.map(({ name }) => name).join());
  const [call, check] = [METHOD, "engine.Check"].map((name) => collected.spans.find((span) => span.name === name));
  assert.equal(check.parent, call.id);
  assert.equal(check.trace, call.trace);
  return { call, check };
}

describe("spans are exported", () => {
  test("over HTTP, below that of the caller", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, ALWAYS), check(SAMPLED));
    assert.equal(collected.path, "/v1/traces");
    assert.equal(collected.headers["content-type"], "application/x-protobuf");
    const { call, check: checked } = two(collected);
    assert.equal(call.trace, TRACE);
    assert.equal(call.parent, CALLER);
    assert.equal(call.kind, 2, "a server's");
    assert.equal(call.service, "orthrus");
    assert.equal(checked.attributes["cerbos.resources"], 2);
    assert.equal(checked.attributes["cerbos.actions"], 3);
    assert.doesNotMatch(collected.bytes, /somebody/, "of what is asked nothing is told");
  });

  test("over gRPC, where nothing else is said", async (t) => {
    const collected = await collectGrpc(t);
    await run(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collected.url, ...ALWAYS }, check(SAMPLED));
    const { call } = two(collected);
    assert.equal(call.trace, TRACE);
    assert.equal(call.parent, CALLER);
  });

  test("over gRPC, while it runs", async (t) => {
    const collected = await collectGrpc(t);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collected.url, OTEL_BSP_SCHEDULE_DELAY: "50", ...ALWAYS };
    await run(t, env, async (server) => {
      await check(SAMPLED)(server);
      await until(() => collected.spans.length === 2, 10_000);
    });
    assert.equal(two(collected).call.parent, CALLER);
  });

  test("of calls over gRPC", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, ALWAYS), async (server) => {
      const client = await reflectedClient(server.grpc, ["cerbos.svc.v1.CerbosService"]);
      const { code } = await client.call("cerbos.svc.v1.CerbosService", "CheckResources", CHECK, SAMPLED);
      client.close();
      assert.equal(code, 0);
    });
    const { call } = two(collected);
    assert.equal(call.trace, TRACE);
    assert.equal(call.parent, CALLER);
  });

  test("of a caller that has none", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, ALWAYS), check({}));
    const { call } = two(collected);
    assert.match(call.trace, /^[0-9a-f]{32}$/);
    assert.equal(call.parent, "");
  });

  test("by a traceparent that is none, as if there were none", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, ALWAYS), check({ traceparent: "00-zz-yy-01" }));
    assert.equal(two(collected).call.parent, "");
  });

  test("of a call that is refused, as an error", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, ALWAYS), async (server) => {
      const { status } = await post(`http://${server.http}/api/check/resources`, {}, SAMPLED);
      assert.equal(status, 400);
    });
    const [call, ...others] = collected.spans;
    assert.deepEqual(others, []);
    assert.equal(call.name, METHOD);
    assert.equal(call.status, 2);
  });

  test("under the name that is set", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected, { ...ALWAYS, OTEL_SERVICE_NAME: "decisions" }), check({}));
    assert.equal(two(collected).call.service, "decisions");
  });

  test("to the endpoint of traces", async (t) => {
    const collected = await collectHttp(t);
    const env = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collected.url}/own`,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    };
    await run(t, { ...env, ...ALWAYS }, check({}));
    assert.equal(collected.path, "/own");
    two(collected);
  });

  test("of callers that sample, and of no others, where no sampler is named", async (t) => {
    const collected = await collectHttp(t);
    await run(t, exported(collected), async (server) => {
      await check({})(server);
      await check(NOT_SAMPLED)(server);
      assert.equal(collected.requests, 0);
      await check(SAMPLED)(server);
    });
    two(collected);
  });
});

for (const [protocol, collect] of [
  ["http/protobuf", collectHttp],
  ["grpc", collectGrpc],
]) {
  describe(`a collector with TLS (${protocol})`, () => {
    const env = ({ url }, more) => ({ ...exported({ url }, ALWAYS), OTEL_EXPORTER_OTLP_PROTOCOL: protocol, ...more });

    test("is trusted by OTEL_EXPORTER_OTLP_CERTIFICATE", async (t) => {
      const { ca, server } = certificates(t);
      const collected = await collect(t, server);
      await run(t, env(collected, { OTEL_EXPORTER_OTLP_CERTIFICATE: ca.cert }), check(SAMPLED));
      assert.equal(two(collected).call.trace, TRACE);
    });

    test("gets nothing where nobody knows who it is", async (t) => {
      const { server } = certificates(t);
      const collected = await collect(t, server);
      await run(t, env(collected), check(SAMPLED));
      assert.deepEqual(collected.spans, []);
    });
  });
}

for (const [what, env, told] of [
  [
    "an authority that is not there",
    { OTEL_EXPORTER_OTLP_CERTIFICATE: "none.pem" },
    /OTEL_EXPORTER_OTLP_CERTIFICATE: none\.pem: /,
  ],
  [
    "an authority that is none",
    { OTEL_EXPORTER_OTLP_CERTIFICATE: "package.json" },
    /OTEL_EXPORTER_OTLP_CERTIFICATE: package\.json: /,
  ],
  ["a certificate without key", { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "CERT" }, /go together/],
]) {
  test(`${what} is said at the start`, async (t) => {
    const { ca } = certificates(t);
    const files = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, path.replace("CERT", ca.cert)]));
    const env_ = { ...NONE, OTEL_EXPORTER_OTLP_ENDPOINT: "https://127.0.0.1:1", ...files };
    const server = await startCommand(t, ["--policies", "policies"], { env: env_ });
    assert.equal(await server.exited, 2);
    assert.match(server.stderr(), told);
  });
}

describe("nothing is exported", () => {
  for (const [what, env, headers] of [
    ["without variables", () => ({}), SAMPLED],
    ["with OTEL_SDK_DISABLED", (collected) => exported(collected, { ...ALWAYS, OTEL_SDK_DISABLED: "true" }), SAMPLED],
    ["with the sampler always_off", (collected) => exported(collected, { OTEL_TRACES_SAMPLER: "always_off" }), SAMPLED],
    ["of a caller that does not sample", (collected) => exported(collected), NOT_SAMPLED],
    ["with an empty endpoint", () => exported({ url: "" }, ALWAYS), SAMPLED],
  ]) {
    test(what, async (t) => {
      const collected = await collectHttp(t);
      await run(t, env(collected), check(headers));
      assert.equal(collected.requests, 0);
    });
  }
});

test("a collector that takes and never answers is given up after OTEL_EXPORTER_OTLP_TIMEOUT", async (t) => {
  const hanging = createServer(() => undefined);
  await new Promise((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  const url = `http://127.0.0.1:${hanging.address().port}`;
  const more = { OTEL_EXPORTER_OTLP_TIMEOUT: "500", OTEL_BSP_SCHEDULE_DELAY: "50" };
  await run(t, exported({ url }, { ...ALWAYS, ...more }), async (server) => {
    await check({})(server);
    const told = () => server.events().some(({ "log.logger": logger }) => logger === "orthrus.traces");
    await until(told, 8000);
  });
});

for (const protocol of ["http/protobuf", "grpc"]) {
  test(`a collector that is not there holds nothing up (${protocol})`, async (t) => {
    const env = exported({ url: `http://127.0.0.1:${await freePort()}` }, ALWAYS);
    let stopped;
    const server = await run(t, { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, async (server) => {
      for (let turn = 0; turn < 20; turn++) {
        const asked = Date.now();
        await check({})(server);
        assert.ok(Date.now() - asked < 1000);
      }
      stopped = Date.now();
    });
    const { events } = server;
    const told = events().filter(({ "log.logger": logger }) => logger === "orthrus.traces");
    assert.equal(told.length, 1, "it is said once");
    assert.match(told[0].error, /\S/);
    assert.ok(Date.now() - stopped < 15_000, `it stopped after ${Date.now() - stopped} ms`);
  });
}
