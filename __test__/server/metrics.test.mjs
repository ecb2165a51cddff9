/** Metrics, by the PDP's names. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { skip, startBoth } from "./both.mjs";
import { reflectedClient } from "./grpc.mjs";
import { post, ROOT, startServer } from "./support.mjs";

const REQUEST = {
  principal: { id: "ann", roles: ["user"] },
  resources: ["1", "2"].map((id) => ({ resource: { kind: "document", id }, actions: ["view"] })),
};

/** As Prometheus asks. */
const OPEN_METRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2";

/** The values of the metrics by name and labels. */
async function metricsOf(url) {
  const response = await fetch(`${url}/_cerbos/metrics`, { headers: { accept: OPEN_METRICS } });
  assert.match(response.headers.get("content-type"), /^application\/openmetrics-text/);
  const text = await response.text();
  assert.ok(text.endsWith("# EOF\n"));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

test("checks, calls and policies are counted", async (t) => {
  const { url, orthrus } = await startServer(t, join(ROOT, "policies"));
  await post(`${url}/api/check/resources`, REQUEST);
  await post(`${url}/api/check/resources`, REQUEST);
  await post(`${url}/api/check/resources`, {});
  await fetch(`${url}/nope`, { method: "BREW" }).catch(() => undefined);
  const metrics = await metricsOf(url);
  const method = 'rpc_method="cerbos.svc.v1.CerbosService/CheckResources"';
  for (const [name, value] of Object.entries({
    'cerbos_dev_engine_check_latency_milliseconds_count{status="success"}': 2,
    cerbos_dev_engine_check_batch_size_count: 2,
    cerbos_dev_engine_check_batch_size_sum: 4,
    'cerbos_dev_engine_check_batch_size_bucket{le="1.0"}': 0,
    'cerbos_dev_engine_check_batch_size_bucket{le="2.0"}': 2,
    'cerbos_dev_compiler_compile_duration_milliseconds_count{status="success"}': 1,
    cerbos_dev_index_entry_count: orthrus.policyCount,
    cerbos_dev_audit_error_count_total: 0,
    'http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",network_protocol_name="http"}': 2,
    'http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="400",network_protocol_name="http"}': 1,
    [`rpc_server_call_duration_seconds_count{${method},rpc_response_status_code="OK",rpc_system_name="grpc"}`]: 2,
    [`rpc_server_call_duration_seconds_count{${method},rpc_response_status_code="INVALID_ARGUMENT",rpc_system_name="grpc"}`]: 1,
  })) {
    assert.equal(metrics[name], value, name);
  }
  assert.ok(metrics['cerbos_dev_compiler_compile_duration_milliseconds_sum{status="success"}'] > 0);
  const refreshed = metrics['cerbos_dev_store_last_successful_refresh{driver="disk"}'];
  assert.ok(Math.abs(refreshed - Date.now()) < 60_000, "in milliseconds since 1970");
});

test("who does not know OpenMetrics gets the older format", async (t) => {
  const { url } = await startServer(t, join(ROOT, "policies"));
  await post(`${url}/api/check/resources`, REQUEST);
  const response = await fetch(`${url}/_cerbos/metrics`);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  assert.doesNotMatch(text, /^# (EOF|UNIT)/m);
  const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, ...pair]) => pair));
  assert.equal(types.cerbos_dev_audit_error_count_total, "counter");
  assert.equal(types.cerbos_dev_engine_check_latency_milliseconds, "histogram");
  assert.match(text, /^# HELP cerbos_dev_audit_error_count_total Number of errors/m);
  const series = [...text.matchAll(/^([a-z_]+)[{ ]/gm)].map(([, name]) => name);
  for (const name of new Set(series)) {
    assert.ok(types[name] ?? types[name.replace(/_(bucket|sum|count)$/, "")], `${name} has a type`);
  }
  assert.deepEqual(
    [...new Set(series)].filter((name) => /sync_error/.test(name)),
    ["cerbos_dev_store_sync_error_count_total"],
    "failures begin with 0",
  );
});

test("methods that a client makes up are one label", async (t) => {
  const { url } = await startServer(t, join(ROOT, "policies"));
  await fetch(`${url}/nope`, { method: "FOO" });
  await fetch(`${url}/nope`, { method: "BAR" });
  const metrics = await metricsOf(url);
  const name =
    'http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="404",network_protocol_name="http"}';
  assert.equal(metrics[name], 2);
});

test("they are not there when they are turned off", async (t) => {
  const { url } = await startServer(t, join(ROOT, "policies"), { server: { metricsEnabled: false } });
  assert.equal((await fetch(`${url}/_cerbos/metrics`)).status, 404);
});

/** Types by name, and of each series its labels and buckets. */
function shapesOf(text) {
  const shapes = {};
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    // OpenMetrics names the family, the older format the series.
    shapes[type === "counter" ? name.replace(/_total$/, "") : name] = { type, labels: new Set(), buckets: new Set() };
  }
  for (const [, series, labels = ""] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const shape = shapes[series] ?? shapes[series.replace(/_(bucket|sum|count|total)$/, "")];
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === "le") {
        shape?.buckets.add(Number(value.replace("+Inf", "Infinity")));
      } else {
        shape?.labels.add(label);
      }
    }
  }
  return shapes;
}

describe("names, types, labels and buckets are those of the PDP", { skip }, () => {
  for (const name of [
    "cerbos_dev_engine_check_latency_milliseconds",
    "cerbos_dev_engine_check_batch_size",
    "cerbos_dev_compiler_compile_duration_milliseconds",
    "cerbos_dev_index_entry_count",
    "cerbos_dev_store_last_successful_refresh",
    "http_server_request_duration_seconds",
    "rpc_server_call_duration_seconds",
  ]) {
    test(name, async (t) => {
      const { ours, pdp } = await both(t);
      const [own, theirs] = [ours[name], pdp[name]];
      assert.equal(own.type, theirs.type);
      assert.deepEqual([...own.buckets].sort(byNumber), [...theirs.buckets].sort(byNumber));
      for (const label of own.labels) {
        assert.ok(theirs.labels.has(label), label);
      }
    });
  }

  test("of calls over gRPC as of those over HTTP", async (t) => {
    const { url, grpc } = await startServer(t, join(ROOT, "policies"));
    const client = await reflectedClient(grpc, ["cerbos.svc.v1.CerbosService"]);
    t.after(() => client.close());
    await client.call("cerbos.svc.v1.CerbosService", "CheckResources", REQUEST);
    await client.call("cerbos.svc.v1.CerbosService", "CheckResources", {});
    const metrics = await metricsOf(url);
    for (const code of ["OK", "INVALID_ARGUMENT"]) {
      const labels = `rpc_method="cerbos.svc.v1.CerbosService/CheckResources",rpc_response_status_code="${code}",rpc_system_name="grpc"`;
      assert.equal(metrics[`rpc_server_call_duration_seconds_count{${labels}}`], 1, code);
    }
  });
});

const byNumber = (left, right) => left - right;

let asked;
/** The shapes of both, asked once. */
function both(t) {
  asked ??= (async () => {
    const started = await startBoth(t, join(ROOT, "policies"));
    const shapes = {};
    for (const [side, { url }] of Object.entries(started)) {
      await post(`${url}/api/check/resources`, REQUEST);
      shapes[side] = shapesOf(await (await fetch(`${url}/_cerbos/metrics`)).text());
    }
    return shapes;
  })();
  return asked;
}
