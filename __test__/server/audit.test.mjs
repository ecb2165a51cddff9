/** The audit log: line by line as the PDP's, and what can be set of it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { parse } from "yaml";
import { comparable, JWT, lifetime, STORE, skip, startBoth } from "./both.mjs";
import { reflectedClient } from "./grpc.mjs";
import { CONFORMANCE, hasCorpus, post, ROOT, startCommand, startServer, temporary, until } from "./support.mjs";

const CERBOS = "cerbos.svc.v1.CerbosService";
const AUTHZEN = "authzen.authorization.v1.AuthorizationService";
const CALLS = {
  checkResources: [CERBOS, "CheckResources"],
  checkResourceSet: [CERBOS, "CheckResourceSet"],
  checkResourceBatch: [CERBOS, "CheckResourceBatch"],
  accessEvaluation: [AUTHZEN, "AccessEvaluation"],
  accessEvaluationBatch: [AUTHZEN, "AccessEvaluationBatch"],
};
const SUITES = [
  "checks/check_resources",
  "checks/check_resource_set",
  "checks/check_resource_batch",
  "authzen/access_evaluation",
  "authzen/access_evaluation_batch",
];

/** The requests of the corpora, by name: `[service, method, message]`. */
function requests() {
  const read = (suite, name) => {
    const it = parse(readFileSync(join(CONFORMANCE, "server", suite, name), "utf8"), { merge: true });
    const call = Object.keys(CALLS).find((call) => call in it);
    return [name.replace(".yaml", ""), [...CALLS[call], it[call].input]];
  };
  const all = SUITES.map((suite) => readdirSync(join(CONFORMANCE, "server", suite)).map((name) => read(suite, name)));
  return hasCorpus ? Object.fromEntries(all.flat()) : {};
}

/** Starts a process that does `first`, and serves with an audit log to a stream; it tells its `address`. */
function startScript(t, first, stream) {
  const script = `
    import { Orthrus } from "orthrus";
    import { serve } from "orthrus/server";
    ${first}
    const engine = await Orthrus.fromFiles({ "doc.yaml": ${JSON.stringify(POLICY)} });
    const server = { httpListenAddr: "127.0.0.1:0", grpcListenAddr: "" };
    const running = await serve(engine, { server, audit: { enabled: true, file: { path: "${stream}" } } });
    process.on("SIGTERM", () => running.stop(500).then(() => process.exit(0)));
    process.send(running.addresses.http);
  `;
  const stdio = ["ignore", "pipe", "pipe", "ipc"];
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: ROOT, stdio });
  t.after(() => child.kill("SIGKILL"));
  child.address = new Promise((resolve) => child.once("message", resolve));
  return child;
}

/** The lines of a log. */
function linesOf(path) {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Lists in the order of resources: sets and evaluations are put into any order by the PDP. */
function ordered(list) {
  return list
    ?.map((it) => comparable(it))
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

/** A line without what is another each time. */
function told({ callId, timestamp, peer, ...line }) {
  assert.match(callId, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
  assert.match(peer.address, /^127\.0\.0\.1:\d+$/);
  const { checkResources } = line;
  return {
    ...comparable(line),
    peer: { ...peer, address: "" },
    ...(checkResources && {
      checkResources: { inputs: ordered(checkResources.inputs), outputs: ordered(checkResources.outputs) },
    }),
  };
}

/** Metadata that clients send, credentials among it. */
const METADATA = {
  "x-request": "one",
  "x-other": "two",
  "x-forwarded-for": "192.0.2.1",
  authorization: "Bearer secret",
  cookie: "secret=1",
};

describe("lines are those of the PDP", { skip }, () => {
  const { t, end } = lifetime();
  const sides = {};
  let folder;

  before(async () => {
    folder = temporary(t);
    const audit = (side) => ({
      enabled: true,
      backend: "file",
      file: { path: join(folder, side) },
      includeMetadataKeys: ["x-request", "authorization"],
    });
    const config = { schema: "reject", auxData: { jwt: JWT } };
    const both = await startBoth(t, STORE, { ...config, audit: audit("pdp"), oursAudit: audit("ours") });
    for (const [side, { url, grpc }] of Object.entries(both)) {
      const client = await reflectedClient(grpc, [CERBOS, AUTHZEN]);
      t.after(() => client.close());
      sides[side] = { client, url, path: join(folder, side), seen: 0 };
    }
  });
  after(end);

  /** What a call adds to a log: the PDP writes nothing of those that are not valid. */
  async function added(side, call) {
    const log = sides[side];
    const isValid = await call(log);
    const kinds = () =>
      linesOf(log.path)
        .slice(log.seen)
        .map((line) => line["log.kind"]);
    // In whichever order they come.
    await until(() => kinds().includes("access") && (isValid !== true || kinds().includes("decision")));
    const lines = linesOf(log.path).slice(log.seen);
    log.seen += lines.length;
    return Object.fromEntries(lines.map((line) => [line["log.kind"], line]));
  }

  /** Our lines of a call, and the PDP's. */
  function compare(lines, expected) {
    assert.deepEqual(told(lines.access), told(expected.access));
    const [decision, theirs] = [told(lines.decision), told(expected.decision)];
    // The PDP tells of all policies of the scopes above, we of those that were looked at.
    const policies = decision.auditTrail?.effectivePolicies ?? {};
    const all = Object.entries(theirs.auditTrail?.effectivePolicies ?? {});
    assert.equal(Object.keys(policies).length > 0, all.length > 0);
    if (all.length > 0) {
      theirs.auditTrail.effectivePolicies = Object.fromEntries(all.filter(([key]) => key in policies));
    }
    assert.deepEqual(decision, theirs);
  }

  for (const [name, [service, method, message]] of Object.entries(requests())) {
    test(name, async () => {
      let isValid;
      const call = async ({ client }) => {
        const { code } = await client.call(service, method, message, METADATA);
        isValid = code === 0;
        return isValid;
      };
      const lines = await added("ours", call);
      assert.equal(lines.access.callId, (lines.decision ?? lines.access).callId);
      if (!isValid) {
        // Somebody may want to know of those as well.
        assert.equal(lines.access.statusCode, 3);
        assert.equal(lines.decision, undefined);
        return;
      }
      // The PDP does not always tell the same: what differs each time is ours.
      for (let attempt = 1; ; attempt++) {
        try {
          compare(lines, await added("pdp", call));
          return;
        } catch (error) {
          if (attempt === 3) {
            throw error;
          }
        }
      }
    });
  }

  test("over HTTP, who asks is told as it is", async () => {
    const [, , message] = requests().cr_case_00;
    const { access, decision } = await added("ours", ({ url }) =>
      post(`${url}/api/check/resources`, message, { ...METADATA, "user-agent": "test/1" }),
    );
    for (const { peer, metadata } of [access, decision]) {
      assert.equal(peer.userAgent, "test/1");
      assert.equal(peer.forwardedFor, "192.0.2.1");
      assert.deepEqual(metadata, { "x-request": { values: ["one"] } });
    }
    assert.equal(access.method, "/cerbos.svc.v1.CerbosService/CheckResources");
  });
});

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [view]
      roles: [user]
      effect: EFFECT_ALLOW
`;
const asked = (actions, principal = {}) => ({
  principal: { id: "ann", roles: ["user"], attr: { mail: "ann@example.com", age: 7 }, ...principal },
  resources: [{ resource: { kind: "doc", id: "1" }, actions }],
});

/** Starts a server with a log, asks, stops it, and gives the lines. */
async function logged(t, audit, requests, options = {}) {
  const path = join(temporary(t), "audit.log");
  const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
  const { server, url, events } = await startServer(t, engine, {
    ...options,
    audit: { enabled: true, file: { path }, ...audit },
  });
  const answers = [];
  for (const request of requests) {
    answers.push(await post(`${url}/api/check/resources`, request, METADATA));
  }
  await server.stop();
  return { lines: linesOf(path), answers, path, events };
}

const kinds = (lines) => lines.map((line) => line["log.kind"]).sort();

describe("what is logged", () => {
  for (const [what, audit, expected] of [
    ["calls and decisions", {}, ["access", "decision"]],
    ["decisions alone", { accessLogsEnabled: false }, ["decision"]],
    ["calls alone", { decisionLogsEnabled: false }, ["access"]],
    ["nothing", { enabled: false }, []],
  ]) {
    test(what, async (t) => {
      const { lines, answers } = await logged(t, audit, [asked(["view"])]);
      assert.deepEqual(kinds(lines), expected);
      for (const line of lines) {
        assert.equal(line.callId, answers[0].body.cerbosCallId);
        assert.equal(line["log.logger"], "cerbos.audit");
      }
    });
  }

  test("health, metrics and the page are no calls", async (t) => {
    const path = join(temporary(t), "audit.log");
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    const { server, url } = await startServer(t, engine, { audit: { enabled: true, file: { path } } });
    for (const at of ["/", "/_cerbos/health", "/_cerbos/metrics", "/_orthrus/state", "/none"]) {
      await fetch(url + at);
    }
    await server.stop();
    assert.deepEqual(linesOf(path), []);
  });

  test("a call that is refused, with its status", async (t) => {
    const { lines } = await logged(t, {}, [
      asked([]),
      "{",
      asked(Array.from({ length: 51 }, (_, index) => `a${index}`)),
    ]);
    assert.deepEqual(kinds(lines), ["access", "access", "access"]);
    assert.deepEqual(
      lines.map(({ statusCode }) => statusCode),
      [3, 3, 3],
    );
  });

  test("ignoreAllowAll passes over calls in which all is allowed", async (t) => {
    const audit = { accessLogsEnabled: false, decisionLogFilters: { checkResources: { ignoreAllowAll: true } } };
    const { lines } = await logged(t, audit, [asked(["view"]), asked(["view", "edit"]), asked(["edit"])]);
    assert.deepEqual(
      lines.map(({ checkResources }) => checkResources.inputs[0].actions),
      [["view", "edit"], ["edit"]],
    );
  });

  /** `[what, keys, metadata that is logged]` */
  for (const [what, keys, expected] of [
    ["no metadata unless some is named", {}, []],
    ["metadata that is named", { includeMetadataKeys: ["X-Request"] }, ["x-request"]],
    [
      "never credentials, though they are named",
      { includeMetadataKeys: ["authorization", "cookie", "x-other"] },
      ["x-other"],
    ],
    [
      "all metadata but what is named, and never credentials",
      {
        excludeMetadataKeys: [
          "x-other",
          "host",
          "connection",
          "content-type",
          "accept",
          "accept-language",
          "accept-encoding",
          "sec-fetch-mode",
          "user-agent",
          "content-length",
        ],
      },
      ["x-forwarded-for", "x-request"],
    ],
    [
      "of what is named both ways, nothing",
      { includeMetadataKeys: ["x-request", "x-other"], excludeMetadataKeys: ["x-other"] },
      ["x-request"],
    ],
  ]) {
    test(what, async (t) => {
      const { lines } = await logged(t, keys, [asked(["view"])]);
      for (const { metadata = {} } of lines) {
        assert.deepEqual(Object.keys(metadata).sort(), expected);
      }
      assert.doesNotMatch(JSON.stringify(lines), /secret/);
    });
  }

  test("values that are masked", async (t) => {
    const mask = [
      "inputs[*].principal.attr.mail",
      "peer.address",
      "peer.forwardedFor",
      "metadata.x-request",
      "outputs[*].validationErrors[*].message",
    ];
    const { lines } = await logged(t, { mask, includeMetadataKeys: ["x-request"] }, [asked(["view"])]);
    const text = JSON.stringify(lines);
    assert.doesNotMatch(text, /ann@example\.com|127\.0\.0\.1|192\.0\.2\.1|"one"/);
    const { checkResources, peer } = lines.find((line) => line["log.kind"] === "decision");
    assert.deepEqual(checkResources.inputs[0].principal.attr, { mail: "[MASKED]", age: 7 });
    assert.equal(peer.address, "[MASKED]");
  });
});

describe("where it goes", () => {
  test("to several files", async (t) => {
    const other = join(temporary(t), "other.log");
    const path = join(temporary(t), "first.log");
    const { lines } = await logged(t, { file: { path, additionalPaths: [other] } }, [asked(["view"])]);
    assert.deepEqual(lines, []);
    assert.equal(readFileSync(other, "utf8"), readFileSync(path, "utf8"));
    assert.equal(linesOf(other).length, 2);
  });

  test("after what is there already", async (t) => {
    const path = join(temporary(t), "audit.log");
    writeFileSync(path, '{"log.kind":"before"}\n');
    await logged(t, { file: { path } }, [asked(["view"])]);
    assert.deepEqual(kinds(linesOf(path)), ["access", "before", "decision"]);
  });

  for (const stream of ["stdout", "stderr"]) {
    test(`to ${stream}`, async (t) => {
      const cwd = temporary(t);
      mkdirSync(join(cwd, "policies"));
      writeFileSync(join(cwd, "policies/doc.yaml"), POLICY);
      const set = (pair) => ["--set", pair];
      const args = [
        "--policies",
        "policies",
        ...set("server.httpListenAddr=127.0.0.1:0"),
        ...set("server.grpcListenAddr=127.0.0.1:0"),
      ];
      const run = await startCommand(t, [...args, ...set("audit.enabled=true"), ...set(`audit.file.path=${stream}`)], {
        cwd,
      });
      await post(`http://${run.http}/api/check/resources`, asked(["view"]));
      run.child.kill();
      await run.exited;
      const lines = run[stream]()
        .split("\n")
        .filter((line) => line.includes('"cerbos.audit"'));
      assert.deepEqual(kinds(lines.map((line) => JSON.parse(line))), ["access", "decision"]);
    });
  }

  test("to a new file when one is large; as many as are wanted are kept", async (t) => {
    const folder = temporary(t);
    const path = join(folder, "audit.log");
    writeFileSync(join(folder, "audit-own.log"), "mine");
    const file = { path, logRotation: { maxFileSizeMB: 1, maxFileCount: 2 } };
    // 24 lines of 0.25 MB: four a file.
    const big = asked(["view"], { attr: { text: "x".repeat(1 << 18) } });
    await logged(t, { accessLogsEnabled: false, file }, Array(24).fill(big));
    const away = readdirSync(folder).filter((name) => /^audit-\d/.test(name));
    assert.equal(away.length, 2, readdirSync(folder).join());
    for (const name of [...away, "audit.log"]) {
      const text = readFileSync(join(folder, name));
      assert.ok(text.length <= 1 << 20, `${name} has ${text.length} bytes`);
      assert.ok(linesOf(join(folder, name)).length > 0);
    }
    assert.equal(readFileSync(join(folder, "audit-own.log"), "utf8"), "mine");
  });

  test("lines that wait are written when it stops", async (t) => {
    const path = join(temporary(t), "audit.log");
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    const { server, url } = await startServer(t, engine, { audit: { enabled: true, file: { path } } });
    const body = JSON.stringify(asked(["view"]));
    const answers = await Promise.all(Array.from({ length: 300 }, () => post(`${url}/api/check/resources`, body)));
    await server.stop();
    const ids = new Set(answers.map(({ body }) => body.cerbosCallId));
    assert.equal(ids.size, 300);
    const lines = linesOf(path);
    assert.equal(lines.length, 600);
    assert.deepEqual(new Set(lines.map(({ callId }) => callId)), ids);
  });

  test("when somebody has put the file away another is begun", async (t) => {
    const folder = temporary(t);
    const path = join(folder, "audit.log");
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    const file = { path, logRotation: { maxFileSizeMB: 1 } };
    const audit = { enabled: true, accessLogsEnabled: false, file };
    const { server, url } = await startServer(t, engine, { audit });
    const big = asked(["view"], { attr: { text: "x".repeat(1 << 18) } });
    for (let turn = 0; turn < 12; turn++) {
      if (turn === 2) {
        await until(() => linesOf(path).length === 2);
        renameSync(path, join(folder, "by-logrotate.log"));
      }
      await post(`${url}/api/check/resources`, big);
    }
    await server.stop();
    assert.ok(existsSync(path));
    const lines = readdirSync(folder).flatMap((name) => linesOf(join(folder, name)));
    assert.equal(lines.length, 12);
  });

  test("a call that nobody waits for any more is told", async (t) => {
    const path = join(temporary(t), "audit.log");
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    const { url } = await startServer(t, engine, { audit: { enabled: true, file: { path } } });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.write("POST /api/check/resources HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(linesOf(path).length, 0);
    socket.destroy();
    await until(() => linesOf(path).length === 1);
    const [line] = linesOf(path);
    assert.equal(line.method, "/cerbos.svc.v1.CerbosService/CheckResources");
    assert.ok([1, 3].includes(line.statusCode), JSON.stringify(line));
  });

  test("calls that are cut are told, by a stop and by writeTimeout", async (t) => {
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    for (const [advanced, status] of [
      [{}, 1],
      [{ http: { writeTimeout: "300ms" } }, 4],
    ]) {
      const path = join(temporary(t), "audit.log");
      const audit = { enabled: true, file: { path } };
      const { server, url } = await startServer(t, engine, { audit, server: { advanced } });
      const { hostname, port } = new URL(url);
      let got = "";
      const sockets = Array.from({ length: 20 }, () => {
        const socket = connect(Number(port), hostname);
        socket.on("error", () => undefined);
        socket.on("data", (data) => {
          got += data;
        });
        socket.write("POST /api/check/resources HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
        return socket;
      });
      if (status === 4) {
        await until(() => got.split(" 504 ").length > 20);
      } else {
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await server.stop(100);
      assert.deepEqual(
        linesOf(path).map(({ statusCode }) => statusCode),
        Array(20).fill(status),
      );
      for (const socket of sockets) {
        socket.destroy();
      }
    }
  });

  test("a stream that is read slowly gets all lines whole, also where Node.js writes to it", async (t) => {
    const child = startScript(t, 'console.log("mine"); console.error("mine");', "stderr");
    child.stderr.setEncoding("utf8").pause();
    const address = await child.address;
    const body = asked(["view"], { attr: { text: "x".repeat(3000) } });
    const answers = Promise.all(Array.from({ length: 300 }, () => post(`http://${address}/api/check/resources`, body)));
    let text = "";
    const lines = () => text.split("\n").filter((line) => line.includes("cerbos.audit"));
    await until(() => {
      text += child.stderr.read(8192) ?? child.stderr.read() ?? "";
      return lines().length >= 600;
    }, 60_000);
    await answers;
    lines().forEach((line) => {
      JSON.parse(line);
    });
  });

  test("an output that takes nothing does not keep a server from stopping", async (t) => {
    const child = startScript(t, "", "stdout");
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      told += text;
    });
    const address = await child.address;
    // Nobody reads what it writes from now on.
    child.stdout.pause();
    const big = asked(["view"], { attr: { text: "x".repeat(1 << 18) } });
    for (let turn = 0; turn < 10; turn++) {
      const { status } = await post(`http://${address}/api/check/resources`, big);
      assert.equal(status, 200);
    }
    const started = Date.now();
    child.kill();
    await new Promise((resolve) => child.once("exit", resolve));
    assert.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`);
    await until(() => told.includes("the audit log takes no more: what was still to be written is lost"), 5000);
  });

  test("a disk that is full: checks go on, and it is said once and counted", {
    skip: !existsSync("/dev/full") && "SKIPPED: there is no /dev/full",
  }, async (t) => {
    const engine = await Orthrus.fromFiles({ "doc.yaml": POLICY });
    const audit = { enabled: true, file: { path: "/dev/full" } };
    const { server, url, events } = await startServer(t, engine, { audit });
    for (let turn = 0; turn < 3; turn++) {
      const { body } = await post(`${url}/api/check/resources`, asked(["view"]));
      assert.equal(body.results[0].actions.view, "EFFECT_ALLOW");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await until(() => events.some(({ logger }) => logger === "orthrus.audit"));
    assert.equal(events.filter(({ logger }) => logger === "orthrus.audit").length, 1);
    const text = await (await fetch(`${url}/_cerbos/metrics`)).text();
    const lost = Number(/^cerbos_dev_audit_error_count_total (\d+)/m.exec(text)[1]);
    assert.ok(lost >= 1, text);
    await server.stop();
    assert.match(events.at(-1).message, /cannot be written: what was still to be written is lost/);
  });
});
