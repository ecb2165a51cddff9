/** `orthrus server` as it is run: options, configurations right and wrong, sockets, and signals. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Orthrus } from "orthrus";
import { serve } from "orthrus/server";
import { grpc } from "./clients/index.mjs";
import { freePort, post, ROOT, startCommand, temporary, until } from "./support.mjs";

const policy = (actions) => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [${actions}]
      roles: [user]
      effect: EFFECT_ALLOW
`;
const CHECK = {
  principal: { id: "ann", roles: ["user"] },
  resources: [{ resource: { kind: "doc", id: "1" }, actions: ["view"] }],
};
const LOOPBACK = ["--set", "server.httpListenAddr=127.0.0.1:0", "--set", "server.grpcListenAddr=127.0.0.1:0"];
const FREE = "server: { httpListenAddr: 127.0.0.1:0, grpcListenAddr: 127.0.0.1:0 }";
const DISK = "storage: { driver: disk, disk: { directory: policies } }";

/** A folder with policies, and files by name. */
function folderOf(t, files = {}) {
  const folder = temporary(t);
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies/doc.yaml"), policy("view"));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const effect = async (http) => {
  const { body } = await post(`http://${http}/api/check/resources`, CHECK);
  return body.results?.[0].actions.view ?? body;
};

/** The exit code of a server that does not come to run. */
function refused(run) {
  assert.equal(run.http, undefined, "it runs");
  return run.exited;
}

describe("it runs", () => {
  test("--policies DIR", async (t) => {
    const run = await startCommand(t, ["--policies", "policies", ...LOOPBACK], { cwd: folderOf(t) });
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
    assert.match(run.grpc, /^127\.0\.0\.1:\d+$/);
    assert.equal(run.stdout(), "");
  });

  test("--config FILE", async (t) => {
    const cwd = folderOf(t, { "c.yaml": `${FREE}\n${DISK}\n` });
    const run = await startCommand(t, ["--config", "c.yaml"], { cwd });
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
  });

  test(".cerbos.yaml where it is started", async (t) => {
    const cwd = folderOf(t, { ".cerbos.yaml": `${FREE}\n${DISK}\n` });
    const run = await startCommand(t, [], { cwd });
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
  });

  test("a configuration in JSON, as the PDP takes it", async (t) => {
    const server = { httpListenAddr: "127.0.0.1:0", grpcListenAddr: "127.0.0.1:0" };
    const config = { server, storage: { driver: "disk", disk: { directory: "policies" } } };
    const run = await startCommand(t, ["--config", "c.json"], {
      cwd: folderOf(t, { "c.json": JSON.stringify(config) }),
    });
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
  });

  test("--policies goes before what the configuration names", async (t) => {
    const cwd = folderOf(t, { "c.yaml": `${FREE}\nstorage: { disk: { directory: nowhere } }\n` });
    const run = await startCommand(t, ["--config", "c.yaml", "--policies", "policies"], { cwd });
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
  });

  test("variables of the environment, and their defaults", async (t) => {
    const port = await freePort();
    const config = `server:
  httpListenAddr: "\${HOST:127.0.0.1}:\${PORT}"
  grpcListenAddr: "\${NONE:}"
  requestLimits:
    maxActionsPerResource: \${MOST:1}
`;
    const cwd = folderOf(t, { "c.yaml": config + DISK });
    const run = await startCommand(t, ["--config", "c.yaml"], { cwd, env: { PORT: String(port) } });
    assert.equal(run.http, `127.0.0.1:${port}`, run.stderr());
    assert.equal(run.grpc, null);
    const { body } = await post(`http://${run.http}/api/check/resources`, {
      ...CHECK,
      resources: [{ ...CHECK.resources[0], actions: ["a", "b"] }],
    });
    assert.equal(body.message, "number of actions (2) exceeds configured limit (1)");
  });

  test("--set goes before the configuration", async (t) => {
    const cwd = folderOf(t, { "c.yaml": `${FREE}\n${DISK}\nengine: { defaultPolicyVersion: other }\n` });
    const other = await startCommand(t, ["--config", "c.yaml"], { cwd });
    assert.equal(await effect(other.http), "EFFECT_DENY", other.stderr());
    const set = await startCommand(t, ["--config", "c.yaml", "--set", "engine.defaultPolicyVersion=default"], { cwd });
    assert.equal(await effect(set.http), "EFFECT_ALLOW", set.stderr());
  });

  test("without gRPC, metrics and page", async (t) => {
    const off = [
      "--set",
      "server.grpcListenAddr=",
      "--set",
      "server.metricsEnabled=false",
      "--set",
      "server.apiExplorerEnabled=false",
    ];
    const run = await startCommand(t, ["--policies", "policies", ...LOOPBACK, ...off], { cwd: folderOf(t) });
    assert.equal(run.grpc, null, run.stderr());
    for (const path of ["/", "/_orthrus/state", "/_cerbos/metrics"]) {
      assert.equal((await fetch(`http://${run.http}${path}`)).status, 404, path);
    }
  });

  test("keys of the PDP that count for nothing here are warned of", async (t) => {
    const config = `${FREE}\n${DISK}\ntelemetry: { disabled: true }\ncompile: { cacheSize: 10 }\n`;
    const run = await startCommand(t, ["--config", "c.yaml"], { cwd: folderOf(t, { "c.yaml": config }) });
    const warnings = run.events().filter((event) => event["log.level"] === "warn");
    assert.deepEqual(
      warnings.map(({ message }) => message.split("\n")[0]),
      [
        "warning[unknown-field]: `telemetry` counts for nothing here: nothing is reported to anybody",
        "warning[unknown-field]: `compile.cacheSize` counts for nothing here: all policies are compiled when they are loaded",
      ],
    );
    assert.match(warnings[0].message, /--> c\.yaml:3:1/);
  });

  test("lines for people", async (t) => {
    const port = await freePort();
    const args = ["--policies", "policies", ...LOOPBACK, "--set", `server.httpListenAddr=127.0.0.1:${port}`];
    const child = spawn(process.execPath, [join(ROOT, "bin/orthrus.js"), "server", ...args, "--log-format", "text"], {
      cwd: folderOf(t),
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    const line = await new Promise((resolve) => child.stderr.setEncoding("utf8").once("data", resolve));
    assert.match(
      line,
      /^\S+Z INFO {2}orthrus\.server: the server answers http=127\.0\.0\.1:\d+ grpc=127\.0\.0\.1:\d+ policies=1\n$/,
    );
  });

  test("--help", async (t) => {
    for (const option of ["--help", "-h"]) {
      const run = await startCommand(t, [option]);
      assert.equal(await run.exited, 0);
      assert.match(run.stdout(), /^Serves decisions[\s\S]*--config FILE[\s\S]*--policies DIR[\s\S]*Exit codes/);
      assert.equal(run.stderr(), "");
    }
  });
});

/** `[what, arguments, exit code, what it says, files]`; the configuration is c.yaml where there is one. */
const REFUSED = [
  ["an unknown option", ["--polices", "x"], 2, /Unknown option '--polices'[\s\S]*orthrus server --help/],
  ["an argument too many", ["x"], 2, /Unexpected argument 'x'/],
  ["a format of logs that there is not", ["--log-format", "xml"], 2, /--log-format must be json or text, got `xml`/],
  ["--set without a value", ["--set", "server"], 2, /--set must be KEY=VALUE, got `server`/],
  [
    "--set of an unknown key",
    ["--policies", "policies", "--set", "server.port=1"],
    2,
    /--set: there is no key `server\.port`/,
  ],
  ["a configuration that is not there", ["--config", "none.yaml"], 2, /none\.yaml/],
  ["no policies", [], 2, /storage\.disk\.directory: say where the policies are: by this key, or by --policies DIR/],
  [
    "policies that are not there",
    ["--policies", "nowhere"],
    1,
    /^orthrus: error: there is no policy directory or archive at `nowhere`$/m,
  ],
  [
    "a directory of the configuration that is not there",
    `${FREE}\nstorage: { disk: { directory: nowhere } }`,
    1,
    /nowhere/,
  ],
  [
    "an unknown key",
    `${DISK}\nserver:\n  htpListenAddr: x\n`,
    2,
    /1 error in the configuration\n\nerror\[unknown-field\]: there is no key `server\.htpListenAddr`\n --> c\.yaml:3:3\n[\s\S]*3 \| {3}htpListenAddr: x\n[\s\S]*did you mean `httpListenAddr`\?/,
  ],
  ["an unknown key at the top", `${DISK}\nservr: {}\n`, 2, /c\.yaml:2:1[\s\S]*did you mean `server`\?/],
  [
    "an unknown key that is near none",
    `${DISK}\nzzzzzz: {}\n`,
    2,
    /there is no key `zzzzzz`\n --> c\.yaml:2:1\n(?![\s\S]*did you mean)/,
  ],
  ["several wrong keys at once", `${DISK}\nservr: {}\naudt: {}\n`, 2, /^2 errors[\s\S]*c\.yaml:2:1[\s\S]*c\.yaml:3:1/],
  ...["git", "blob", "sqlite3", "postgres", "mysql", "hub", "overlay"].map((driver) => [
    `storage.${driver}`,
    `storage:\n  driver: ${driver}\n  ${driver}: { url: x }\n`,
    2,
    new RegExp(
      `\`storage\\.${driver}\` is not supported\n --> c\\.yaml:3:3[\\s\\S]*policies come from \`storage\\.disk\` or \`storage\\.bundle\``,
    ),
  ]),
  ["hub", `${DISK}\nhub: { credentials: {} }\n`, 2, /`hub` is not supported\n --> c\.yaml:2:1/],
  [
    "audit.kafka",
    `${DISK}\naudit: { enabled: true, backend: kafka, kafka: {} }\n`,
    2,
    /`audit\.kafka` is not supported/,
  ],
  [
    "the Admin API",
    `${DISK}\nserver: { adminAPI: { enabled: true } }\n`,
    2,
    /c\.yaml:2:21[\s\S]*|there is no Admin API/,
  ],
  [
    "a driver that there is not",
    "storage: { driver: mongo }\n",
    2,
    /c\.yaml:1:12: storage\.driver: there is no driver mongo/,
  ],
  [
    "a text for a number",
    `${DISK}\nserver: { requestLimits: { maxActionsPerResource: many } }\n`,
    2,
    /maxActionsPerResource[\s\S]*c\.yaml:2:28/,
  ],
  [
    "a negative number",
    `${DISK}\nserver: { requestLimits: { maxActionsPerResource: -1 } }\n`,
    2,
    /maxActionsPerResource[\s\S]*c\.yaml:2:28/,
  ],
  [
    "a duration without unit",
    `${DISK}\nserver: { advanced: { http: { readTimeout: 5 } } }\n`,
    2,
    /expected a duration such as 30s or 1h15m\n --> c\.yaml:2:31/,
  ],
  ["a list for an object", `${DISK}\nserver: []\n`, 2, /`server` must be a mapping, got a list\n --> c\.yaml:2:9/],
  [
    "an enforcement that there is not",
    `${DISK}\nschema: { enforcement: sometimes }\n`,
    2,
    /c\.yaml:2:11: schema\.enforcement: must be one of none, warn, reject/,
  ],
  [
    "an option of the engine",
    `${DISK}\nengine: { strictEvaluation: maybe }\n`,
    2,
    /c\.yaml:2:11: engine\.strictEvaluation: must be a boolean/,
  ],
  [
    "a variable that is not set",
    `${DISK}\nserver: { httpListenAddr: "\${NOT_SET_HERE}" }\n`,
    2,
    /the environment variable `NOT_SET_HERE` is not set, and has no default[\s\S]*c\.yaml:2:27/,
  ],
  ["a variable without end", `${DISK}\nserver: { httpListenAddr: "\${A" }\n`, 2, /`\$\{` without `\}`/],
  ["YAML that is none", "server: [\n", 2, /error\[syntax\][\s\S]*c\.yaml:1:9/],
  ["two documents", `${DISK}\n---\na: 1\n`, 2, /a configuration is one document/],
  ["a key twice", `${DISK}\n${DISK}\n`, 2, /c\.yaml:2:1/],
  [
    "an address that is none",
    `${DISK}\nserver: { httpListenAddr: nowhere }\n`,
    2,
    /^orthrus: error: c\.yaml:2:11: server\.httpListenAddr: `nowhere` is no address: write HOST:PORT, :PORT or unix:PATH$/m,
  ],
  [
    "a port that is no address",
    `${DISK}\nserver: { grpcListenAddr: 3593 }\n`,
    2,
    /c\.yaml:2:11: server\.grpcListenAddr: `3593` is no address: .*; did you mean `:3593`\?/,
  ],
  [
    "an address without one",
    ["--policies", "policies", "--set", "server.httpListenAddr="],
    2,
    /server\.httpListenAddr: `` is no address/,
  ],
  [
    "more threads than there can be",
    `${DISK}\nserver: { threads: 1000000000 }\n`,
    2,
    /c\.yaml:2:11: server\.threads: must be from 0 to 1024, got 1000000000/,
  ],
  ...[0, 501].map((limit) => [
    `${limit} resources at most`,
    `${DISK}\nserver: { requestLimits: { maxResourcesPerRequest: ${limit} } }\n`,
    2,
    new RegExp(`c\\.yaml:2:28: server\\.requestLimits\\.maxResourcesPerRequest: must be from 1 to 500, got ${limit}`),
  ]),
  [
    "no request at all",
    `${DISK}\nserver: { advanced: { grpc: { maxRecvMsgSizeBytes: 0 } } }\n`,
    2,
    /maxRecvMsgSizeBytes: must be from 1 to/,
  ],
  ["policies without a name", ["--policies", ""], 2, /--policies must name a directory/],
  ["a directory without a name", "storage: { disk: { directory: '' } }\n", 2, /storage\.disk\.directory: say where/],
  [
    "two sources of policies",
    "storage: { disk: { directory: policies }, bundle: { file: b } }\n",
    2,
    /c\.yaml:1:1: storage\.driver: there are disk and bundle/,
  ],
  [
    "a URL that is none",
    "storage: { bundle: { url: notaurl } }\n",
    2,
    /c\.yaml:1:22: storage\.bundle\.url: must be a whole URL/,
  ],
  ["a configuration that is a text", "hello\n", 2, /a configuration must be a mapping[^\n]*\n --> c\.yaml:1:1/],
  ["a configuration that is a list", "[1, 2]\n", 2, /a configuration must be a mapping[^\n]*\n --> c\.yaml:1:1/],
  ["--set of a list", ["--set", "audit.mask=[a]"], 2, /--set: `audit\.mask` holds more than one value/],
  ["--set of a mapping", ["--set", "server=1"], 2, /--set: `server` holds more than one value/],
  ["--set of a misspelt key", ["--set", "server.httpListenAdr=:1"], 2, /did you mean `httpListenAddr`\?/],
  ["--set of what is not supported", ["--set", "storage.git=x"], 2, /--set: `storage\.git` is not supported/],
  [
    "a mask that masks nothing",
    `${FREE}\n${DISK}\naudit: { enabled: true, file: { path: a.log }, mask: ["inputs[*].principle"] }\n`,
    2,
    /c\.yaml:3:55: audit\.mask\[0\]: .*there is no `principle`; did you mean `principal`\?/,
  ],
  [
    "permissions that are none",
    `${DISK}\nserver: { httpListenAddr: 127.0.0.1:0, udsFileMode: rw }\n`,
    2,
    /c\.yaml:2:40: server\.udsFileMode: `rw` are no permissions/,
  ],
  [
    "a certificate that is not there",
    `${DISK}\nserver: { tls: { cert: none.pem, key: none.pem } }\n`,
    2,
    /c\.yaml:2:18: server\.tls\.cert: none\.pem: /,
  ],
  [
    "TLS without key",
    `${DISK}\nserver: { tls: { cert: none.pem } }\n`,
    2,
    /c\.yaml:2:11[\s\S]*key|key[\s\S]*c\.yaml:2:11/,
  ],
  [
    "an audit log without file",
    `${DISK}\naudit: { enabled: true }\n`,
    2,
    /c\.yaml:2:1: audit\.file\.path: a file is needed, or stdout or stderr/,
  ],
  [
    "an audit log that cannot be written",
    `${FREE}\n${DISK}\naudit: { enabled: true, file: { path: none/audit.log } }\n`,
    2,
    /c\.yaml:3:33: audit\.file\.path: none\/audit\.log: /,
  ],
  [
    "a mask that is none",
    `${FREE}\n${DISK}\naudit: { enabled: true, file: { path: a.log }, mask: [a..b] }\n`,
    2,
    /c\.yaml:3:55: audit\.mask\[0\]: `a\.\.b` is no path, such as/,
  ],
  [
    "keys that are not there",
    `${FREE}\n${DISK}\nauxData: { jwt: { keySets: [{ id: a, local: { file: none.jwk } }] } }\n`,
    2,
    /c\.yaml:3:47: auxData\.jwt\.keySets\[0\]\.local\.file: cannot be read/,
  ],
  [
    "an unknown option of tokens",
    `${FREE}\n${DISK}\nauxData: { jwt: { keySet: [] } }\n`,
    2,
    /c\.yaml:3:19: auxData\.jwt\.keySet/,
  ],
  [
    "a bundle by URL and file",
    "storage: { bundle: { url: http://localhost/b, file: b } }\n",
    2,
    /c\.yaml:1:12: storage\.bundle: must have either url or file/,
  ],
  [
    "a bundle that is not there",
    "storage: { driver: bundle, bundle: { file: none.bundle } }\n",
    1,
    /^orthrus: error: the bundle cannot be had from .*none\.bundle/m,
  ],
  [
    "a key of bundles that is not there",
    "storage: { bundle: { file: b, trustedKeys: [none.pem] } }\n",
    2,
    /c\.yaml:1:45: storage\.bundle\.trustedKeys\[0\]: cannot be read/,
  ],
  [
    "how often bundles are asked for",
    "storage: { bundle: { file: b, pollInterval: soon } }\n",
    2,
    /c\.yaml:1:31: storage\.bundle\.pollInterval: must be a duration/,
  ],
];

describe("it is refused, and it is said where and why", () => {
  for (const [what, given, code, says] of REFUSED) {
    test(what, async (t) => {
      const isConfig = typeof given === "string";
      const cwd = folderOf(t, isConfig ? { "c.yaml": given } : {});
      const run = await startCommand(t, isConfig ? ["--config", "c.yaml"] : given, { cwd });
      assert.equal(await refused(run), code, run.stderr());
      assert.match(run.stderr(), says);
      assert.equal(run.stdout(), "");
      // No words of the program itself.
      assert.doesNotMatch(run.stderr(), /usize|u32|u64|at line 1 column|panicked|\n {4}at /);
    });
  }

  test("policies that are wrong", async (t) => {
    const cwd = folderOf(t);
    writeFileSync(join(cwd, "policies/doc.yaml"), policy("view").replace("effect: EFFECT_ALLOW", "effect: ALLOWED"));
    const run = await startCommand(t, ["--policies", "policies", ...LOOPBACK], { cwd });
    assert.equal(await refused(run), 1);
    assert.match(run.stderr(), /1 error in the policies\n\nerror\[[\w-]+\]: [\s\S]* --> doc\.yaml:8:15/);
  });

  for (const which of ["http", "grpc"]) {
    test(`a port in use (${which})`, async (t) => {
      const taken = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => taken.once("listening", resolve));
      t.after(() => taken.close());
      const address = `127.0.0.1:${taken.address().port}`;
      const args = ["--policies", "policies", ...LOOPBACK, "--set", `server.${which}ListenAddr=${address}`];
      const run = await startCommand(t, args, { cwd: folderOf(t) });
      assert.equal(await refused(run), 1);
      assert.match(run.stderr(), new RegExp(`^orthrus: error: cannot listen on ${address}: .*in use`, "m"));
    });
  }
});

describe("Unix sockets", { skip: process.platform === "win32" && "SKIPPED: Windows" }, () => {
  const sockets = (folder) => [join(folder, "http.sock"), join(folder, "grpc.sock")];
  const args = ([http, rpc], mode) => [
    "--policies",
    "policies",
    ...["--set", `server.httpListenAddr=unix:${http}`, "--set", `server.grpcListenAddr=unix:${rpc}`],
    ...(mode === undefined ? [] : ["--set", `server.udsFileMode=${mode}`]),
  ];
  const health = (socketPath) =>
    new Promise((resolve, reject) => {
      request({ socketPath, path: "/_cerbos/health" }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });

  for (const [mode, expected] of [
    [undefined, 0o766],
    ["0o600", 0o600],
    ["660", 0o660],
  ]) {
    test(`with mode ${mode}`, async (t) => {
      const cwd = folderOf(t);
      const paths = sockets(cwd);
      const run = await startCommand(t, args(paths, mode), { cwd });
      assert.equal(run.http, `unix:${paths[0]}`, run.stderr());
      assert.equal(run.grpc, `unix:${paths[1]}`);
      assert.equal(await health(paths[0]), 200);
      for (const path of paths) {
        assert.equal((statSync(path).mode & 0o777).toString(8), expected.toString(8));
      }
      const client = new grpc.Client(`unix:${paths[1]}`, grpc.credentials.createInsecure());
      const same = (value) => value;
      const answer = await new Promise((resolve, reject) => {
        client.makeUnaryRequest("/grpc.health.v1.Health/Check", same, same, Buffer.alloc(0), (error, bytes) =>
          error === null ? resolve(bytes) : reject(error),
        );
      });
      client.close();
      assert.deepEqual([...answer], [8, 1]);
      run.child.kill("SIGTERM");
      assert.equal(await run.exited, 0);
      assert.deepEqual(paths.map(existsSync), [false, false]);
    });
  }

  test("what a server that was killed left behind is replaced", async (t) => {
    const cwd = folderOf(t);
    const paths = sockets(cwd);
    const killed = await startCommand(t, args(paths), { cwd });
    killed.child.kill("SIGKILL");
    await killed.exited;
    assert.ok(existsSync(paths[0]));
    const run = await startCommand(t, args(paths), { cwd });
    assert.equal(await health(paths[0]), 200, run.stderr());
  });

  test("the socket of a server that answers is not taken from it", async (t) => {
    const cwd = folderOf(t);
    const paths = sockets(cwd);
    await startCommand(t, args(paths), { cwd });
    const second = await startCommand(t, args(paths), { cwd });
    assert.equal(await refused(second), 1);
    assert.match(second.stderr(), /cannot listen on unix:/);
    assert.equal(await health(paths[0]), 200);
  });

  test("a file that is no socket is not replaced", async (t) => {
    const cwd = folderOf(t, { "http.sock": "dear" });
    const run = await startCommand(t, args(sockets(cwd)), { cwd });
    assert.equal(await refused(run), 1);
    assert.equal(readFileSync(join(cwd, "http.sock"), "utf8"), "dear");
  });
});

describe("signals", { skip: process.platform === "win32" && "SKIPPED: Windows" }, () => {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    test(`${signal}: what is under way is answered, and then it ends`, async (t) => {
      const cwd = folderOf(t);
      const audit = ["--set", "audit.enabled=true", "--set", "audit.file.path=audit.log"];
      const run = await startCommand(t, ["--policies", "policies", ...LOOPBACK, ...audit], { cwd });
      const body = JSON.stringify(CHECK);
      let sent;
      const answer = new Promise((resolve, reject) => {
        const headers = { "content-type": "application/json", "content-length": body.length };
        sent = request(`http://${run.http}/api/check/resources`, { method: "POST", headers }, async (response) => {
          let text = "";
          for await (const part of response) {
            text += part;
          }
          resolve({ status: response.statusCode, body: JSON.parse(text) });
        }).on("error", reject);
      });
      sent.write(body.slice(0, 20));
      await sleep(100);
      run.child.kill(signal);
      await until(() => run.events().some(({ message }) => message === `${signal}: the server stops`));
      // Others are told to go elsewhere.
      await until(() =>
        fetch(`http://${run.http}/_cerbos/health`).then(
          () => false,
          () => true,
        ),
      );
      assert.equal(run.code(), undefined);
      sent.end(body.slice(20));
      const { status, body: answered } = await answer;
      assert.equal(status, 200);
      assert.equal(answered.results[0].actions.view, "EFFECT_ALLOW");
      assert.equal(await run.exited, 0, run.stderr());
      const lines = readFileSync(join(cwd, "audit.log"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(lines.map((line) => line["log.kind"]).sort(), ["access", "decision"]);
      assert.ok(lines.every(({ callId }) => callId === answered.cerbosCallId));
    });
  }

  test("a connection that idles does not keep it", async (t) => {
    const run = await startCommand(t, ["--policies", "policies", ...LOOPBACK], { cwd: folderOf(t) });
    await effect(run.http);
    const client = new grpc.Client(run.grpc, grpc.credentials.createInsecure());
    await new Promise((resolve, reject) =>
      client.waitForReady(Date.now() + 5000, (error) => (error ? reject(error) : resolve())),
    );
    t.after(() => client.close());
    const started = Date.now();
    run.child.kill("SIGTERM");
    assert.equal(await run.exited, 0);
    assert.ok(Date.now() - started < 5000, `${Date.now() - started} ms`);
  });

  test("SIGHUP: the policies are read again, where they are not watched", async (t) => {
    const cwd = folderOf(t, {
      "c.yaml": `${FREE}\nstorage: { disk: { directory: policies, watchForChanges: false } }\n`,
    });
    const run = await startCommand(t, ["--config", "c.yaml"], { cwd });
    const said = (text) => run.events().filter(({ message }) => message.includes(text)).length;
    writeFileSync(join(cwd, "policies/doc.yaml"), policy("edit"));
    await sleep(300);
    assert.equal(await effect(run.http), "EFFECT_ALLOW", run.stderr());
    run.child.kill("SIGHUP");
    await until(() => said("decide from now on") === 1);
    assert.equal(await effect(run.http), "EFFECT_DENY");
    writeFileSync(join(cwd, "policies/doc.yaml"), "broken: [");
    run.child.kill("SIGHUP");
    await until(() => said("refused") === 1);
    assert.equal(await effect(run.http), "EFFECT_DENY");
    const { policies } = await (await fetch(`http://${run.http}/_cerbos/health?verbose`)).json();
    assert.match(policies.failure.message, /doc\.yaml/);
    writeFileSync(join(cwd, "policies/doc.yaml"), policy("view"));
    run.child.kill("SIGHUP");
    await until(async () => (await effect(run.http)) === "EFFECT_ALLOW");
    run.child.kill("SIGTERM");
    assert.equal(await run.exited, 0);
  });
});

describe("serve()", () => {
  const listening = { server: { httpListenAddr: "127.0.0.1:0", grpcListenAddr: "" } };

  for (const [path, options] of [
    ["", "options"],
    ["wach", { wach: true }],
    ["watch", { watch: "yes" }],
    ["traces", { traces: 1 }],
    ["log", { log: "x" }],
    ["server.threads", { server: { ...listening.server, threads: 5000 } }],
  ]) {
    test(`refuses the options ${JSON.stringify(options)}`, async () => {
      const engine = await Orthrus.fromFiles({ "doc.yaml": policy("view") });
      await assert.rejects(serve(engine, options), { code: "OPTIONS_INVALID", path });
    });
  }

  test("tells by a line what the option log does not take", async (t) => {
    const lines = [];
    t.mock.method(process.stderr, "write", (text) => lines.push(JSON.parse(text)));
    const engine = await Orthrus.fromFiles({ "doc.yaml": policy("view") });
    const log = () => {
      throw new Error("full");
    };
    const routes = [{ path: "/", resource: { kind: "doc" }, action: "view" }];
    const gateway = { proxies: ["traefik"], routes, identity: { anonymous: { id: "a", roles: ["user"] } } };
    const server = await serve(engine, { ...listening, log, gateway });
    await fetch(`http://${server.addresses.http}/forward-auth/traefik`);
    await until(() => lines.length === 2);
    await server.stop();
    assert.deepEqual(
      lines.map(({ message }) => message),
      ["a request is refused", "the option log throws: Error: full"],
    );
  });
});
