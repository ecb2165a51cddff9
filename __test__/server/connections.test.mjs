/** Connections: how long one may wait for what it says, and how one ends. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { grpc } from "./clients/index.mjs";
import { ROOT, startServer } from "./support.mjs";

const POLICIES = join(ROOT, "policies");
/** In milliseconds. */
const [HEAD, IDLE, OPENING] = [1000, 3000, 4000];
const server = {
  advanced: {
    http: { readHeaderTimeout: `${HEAD}ms`, idleTimeout: `${IDLE}ms` },
    grpc: { connectionTimeout: `${OPENING}ms` },
  },
};
/** What a machine that does other things as well may be late by. */
const LATE = 5000;
const HEALTH = "GET /_cerbos/health HTTP/1.1\r\nHost: a\r\n\r\n";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** A connection, what it has got, and when it ends: for `allowHalfOpen`, not because the server has said all. */
async function open(address, text, options = {}) {
  const [host, port] = address.split(":");
  const started = Date.now();
  const socket = connect({ port: Number(port), host, ...options });
  await once(socket, "connect");
  const connection = { socket, got: "", write: (more) => socket.write(more) };
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    connection.got += data.toString("latin1");
  });
  connection.ended = new Promise((resolve) => socket.once("close", () => resolve(Date.now() - started)));
  connection.write(text);
  return connection;
}

/** Whether it was about as long as it may. */
function lasted(time, limit, why) {
  assert.ok(time >= limit && time < limit + LATE, `${why}: ${time} ms of ${limit} ms`);
}

function answers({ got }) {
  return got.split("HTTP/1.1 200 OK").length - 1;
}

describe("a connection", { concurrency: 6, timeout: 120_000 }, () => {
  const silent = {
    nothing: "",
    "a part of a head": "GET / HTTP/1.1\r\nHost: a\r\n",
    "a part of what HTTP/2 begins with": PREFACE.slice(0, 10),
  };
  for (const [what, text] of Object.entries(silent)) {
    test(`over HTTP that sends ${what} ends after readHeaderTimeout`, async (t) => {
      const { http } = await startServer(t, POLICIES, { server });
      lasted(await (await open(http, text)).ended, HEAD, what);
    });
  }

  for (const what of ["nothing", "a part of what HTTP/2 begins with"]) {
    test(`over gRPC that sends ${what} ends after connectionTimeout`, async (t) => {
      const { grpc: address } = await startServer(t, POLICIES, { server });
      lasted(await (await open(address, silent[what])).ended, OPENING, what);
    });
  }

  test("over gRPC that sends no settings ends after connectionTimeout", async (t) => {
    const { grpc: address } = await startServer(t, POLICIES, { server });
    lasted(await (await open(address, PREFACE)).ended, OPENING, "the preface alone");
  });

  test("over gRPC that speaks HTTP/1 ends at once", async (t) => {
    const { grpc: address } = await startServer(t, POLICIES, { server });
    const connection = await open(address, HEALTH);
    assert.ok((await connection.ended) < OPENING - 100);
    assert.equal(answers(connection), 0);
  });

  test("that drips its head ends after readHeaderTimeout", async (t) => {
    const { http } = await startServer(t, POLICIES, { server });
    const connection = await open(http, "GET / HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => connection.write("X-A: b\r\n"), 50);
    const time = await connection.ended;
    clearInterval(drip);
    lasted(time, HEAD, "a head");
  });

  test("of HTTP/1 may be idle for idleTimeout between requests, and a next head has readHeaderTimeout again", async (t) => {
    const { http } = await startServer(t, POLICIES, { server });
    const idle = await open(http, HEALTH);
    const half = await open(http, HEALTH);
    await sleep(1.5 * HEAD);
    idle.write(HEALTH);
    half.write(HEALTH.slice(0, 20));
    const times = [await idle.ended, await half.ended];
    lasted(times[0], 1.5 * HEAD + IDLE, "idle");
    lasted(times[1], 1.5 * HEAD + HEAD, "a part of a second head");
    assert.ok(times[1] < times[0]);
    assert.deepEqual([answers(idle), answers(half)], [2, 1]);
  });

  test("is not idle while a request is on its way", async (t) => {
    const advanced = { http: { readHeaderTimeout: "1s", idleTimeout: "1s" } };
    const { http } = await startServer(t, POLICIES, { server: { advanced } });
    const head = "POST /api/check/resources HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    const connection = await open(http, head);
    await sleep(2500);
    connection.write("{}");
    await connection.ended;
    assert.match(connection.got, /^HTTP\/1\.1 400 /);
  });

  test("of HTTP/2 is told that it ends after idleTimeout, whatever pings come", async (t) => {
    const { http } = await startServer(t, POLICIES, { server });
    const started = Date.now();
    const session = connectHttp2(`http://${http}`);
    session.on("error", () => undefined);
    await once(session, "connect");
    const ping = setInterval(() => session.destroyed || session.ping(() => undefined), 100);
    const goaway = once(session, "goaway");
    await once(session, "close");
    clearInterval(ping);
    lasted(Date.now() - started, IDLE, "idle");
    const [code] = await goaway;
    assert.equal(code, 0, "no error");
  });

  test("over gRPC: a message that does not come ends its call after readTimeout", async (t) => {
    const advanced = { http: { readTimeout: "500ms" } };
    const { grpc: address } = await startServer(t, POLICIES, { server: { advanced } });
    const session = connectHttp2(`http://${address}`);
    session.on("error", () => undefined);
    t.after(() => session.destroy());
    const call = session.request({
      ":method": "POST",
      ":path": "/cerbos.svc.v1.CerbosService/CheckResources",
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.on("error", () => undefined);
    const [headers] = await once(call, "response");
    assert.equal(headers["grpc-status"], "4", headers["grpc-message"]);
  });

  test("of gRPC is kept while nothing is asked", async (t) => {
    const { grpc: address } = await startServer(t, POLICIES, { server });
    const client = new grpc.Client(address, grpc.credentials.createInsecure());
    await new Promise((resolve, reject) => {
      client.waitForReady(Date.now() + 5000, (error) => (error ? reject(error) : resolve()));
    });
    const channel = client.getChannel();
    const states = [];
    const watch = (state) =>
      channel.watchConnectivityState(state, Date.now() + 60_000, (error) => {
        if (!error) {
          states.push(channel.getConnectivityState(false));
        }
      });
    watch(channel.getConnectivityState(false));
    await sleep(IDLE + OPENING);
    assert.deepEqual(states, [], "it has stayed as it was");
    client.close();
  });

  test("of gRPC ends when it is older than maxConnectionAge", async (t) => {
    const advanced = { grpc: { maxConnectionAge: "500ms" } };
    const { grpc: address } = await startServer(t, POLICIES, { server: { advanced } });
    const started = Date.now();
    const session = connectHttp2(`http://${address}`);
    session.on("error", () => undefined);
    await once(session, "close");
    lasted(Date.now() - started, 500, "age");
  });

  test("hears that its head is too large, however much of it follows", async (t) => {
    const { http } = await startServer(t, POLICIES);
    const head = `GET / HTTP/1.1\r\nHost: a\r\nX-Big: ${"a".repeat(200 << 10)}\r\n\r\n`;
    for (let round = 0; round < 50; round++) {
      const connection = await open(http, head);
      await connection.ended;
      assert.match(connection.got, /^HTTP\/1\.1 431 /, `round ${round}`);
    }
  });

  test("whose head is refused is over soon, where it says nothing more and does not end itself", async (t) => {
    const { http } = await startServer(t, POLICIES);
    const connection = await open(http, `GET / HTTP/1.1\r\nX-Big: ${"a".repeat(70 << 10)}`, { allowHalfOpen: true });
    await sleep(3000);
    assert.match(connection.got, /^HTTP\/1\.1 431 /);
    // There is nobody any more who takes it, which the second time tells.
    const drip = setInterval(() => connection.write("a"), 50);
    const time = await connection.ended;
    clearInterval(drip);
    assert.ok(time < 3000 + LATE, `${time} ms`);
  });

  test("that goes on sending a head that is refused ends soon", async (t) => {
    const { http } = await startServer(t, POLICIES, { server });
    const connection = await open(http, `GET / HTTP/1.1\r\nX-Big: ${"a".repeat(70 << 10)}`, {
      allowHalfOpen: true,
    });
    const drip = setInterval(() => connection.write("a"), 50);
    const time = await connection.ended;
    clearInterval(drip);
    assert.match(connection.got, /^HTTP\/1\.1 431 /);
    assert.ok(time < LATE, `${time} ms`);
  });

  test("ends when the server stops, also where it is idle or waits", async (t) => {
    const { http, grpc: address, server: running } = await startServer(t, POLICIES);
    // The last one speaks HTTP/2, and says nothing more.
    const settings = `${PREFACE}\0\0\0\x04\0\0\0\0\0`;
    const said = [
      [http, HEALTH],
      [http, ""],
      [http, "GET / HT"],
      [address, ""],
      [address, settings],
    ];
    const connections = await Promise.all(said.map((pair) => open(...pair)));
    await sleep(200);
    const started = Date.now();
    await running.stop(30_000);
    await Promise.all(connections.map(({ ended }) => ended));
    assert.ok(Date.now() - started < 20_000, "nobody is waited for long who has asked for nothing");
  });
});
