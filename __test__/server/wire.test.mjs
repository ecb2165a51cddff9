/** Requests, right and wrong, asked of the real PDP and of our server: one test each, and the same answer. */

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { comparable, JWT, lifetime, STORE, skip, startBoth } from "./both.mjs";
import { BinaryWriter, grpc } from "./clients/index.mjs";
import { reflectedClient } from "./grpc.mjs";

const CHECK = "/api/check/resources";
const SET = "/api/check";
const BATCH = "/api/check_resource_batch";
const ONE = "/access/v1/evaluation";
const MANY = "/access/v1/evaluations";

const attr = { department: "marketing", geography: "GB", team: "design" };
const principal = { id: "john", roles: ["employee"], policyVersion: "20210210", attr };
const owned = { ...attr, id: "XX125", owner: "john", status: "DRAFT" };
const resource = { kind: "leave_request", id: "XX125", policyVersion: "20210210", attr: owned };
const actions = ["view:public", "approve"];
const seven = Array.from({ length: 6 }, (_, index) => `a${index}`);

/** A copy of a message in which something is other. */
const but = (message) => (change) => {
  const copy = structuredClone(message);
  change(copy);
  return copy;
};

const check = { requestId: "test", principal, resources: [{ resource, actions }] };
const checkBut = but(check);
const principalBut = (change) => checkBut((it) => change(it.principal));
const resourceBut = (change) => checkBut((it) => change(it.resources[0].resource));
const auxData = (auxData) => ({ ...check, auxData });

const set = {
  requestId: "test",
  actions,
  principal,
  resource: { kind: "leave_request", policyVersion: "20210210", instances: { XX125: { attr: owned } } },
};
const setBut = but(set);
const batch = { requestId: "test", principal, resources: [{ actions, resource }] };

const subject = {
  type: "user",
  id: "john",
  properties: { ...attr, "cerbos.roles": ["employee"], "cerbos.policyVersion": "20210210" },
};
const evaluated = { type: "leave_request", id: "XX125", properties: { ...owned, "cerbos.policyVersion": "20210210" } };
const evaluation = { subject, resource: evaluated, action: { name: "view:public" } };
const evaluationBut = but(evaluation);

const JSON_TYPE = { "content-type": "application/json" };
const get = (path, method = "GET", headers = {}) => ({ path, method, headers });

/** The status and code are the same, in other words: those of another reader of JSON. */
const WORDS = { words: true };
/** We differ, on purpose: how, and why. */
const ours = (status, code, why) => ({ status, code, why });

/** `[what, request, how we differ]`; a request is the body of a check, or `{ path, body, method, headers }`. */
const REQUESTS = [
  ["a check", check],
  ["a check with metadata", { ...check, includeMeta: true }],
  [
    "names in snake_case",
    {
      request_id: "r",
      include_meta: true,
      principal: { id: "a", policy_version: "x", roles: ["r"] },
      resources: check.resources,
    },
  ],
  [
    "null is as if it were not there",
    { ...check, auxData: null, requestContext: null, principal: { ...principal, scope: null, attr: null } },
  ],
  ["annotations", { ...check, requestContext: { annotations: { why: "test" } } }],
  ["?pretty", { path: `${CHECK}?pretty`, body: check }],
  ["?pretty=false", { path: `${CHECK}?pretty=false`, body: check }],
  ["another parameter", { path: `${CHECK}?x=1`, body: check }],
  ["another content type", { body: check, headers: { "content-type": "text/plain" } }],
  ["no content type", { body: check, headers: { "content-type": "" } }],
  ["another type is accepted", { body: check, headers: { ...JSON_TYPE, accept: "application/xml" } }],

  ["no principal", checkBut((it) => delete it.principal)],
  ["principal null", { ...check, principal: null }],
  ["an empty principal", { ...check, principal: {} }],
  ["a principal without id", principalBut((it) => delete it.id)],
  ["no roles", principalBut((it) => delete it.roles)],
  ["an empty role", principalBut((it) => it.roles.push(""))],
  ["two empty roles", principalBut((it) => it.roles.push("", ""))],
  ["a role twice", principalBut((it) => it.roles.push("employee"))],
  ["no resources", checkBut((it) => delete it.resources)],
  ["resources empty", { ...check, resources: [] }],
  ["an empty entry", { ...check, resources: [{}] }],
  ["an entry without resource", { ...check, resources: [{ actions }] }],
  ["no kind", resourceBut((it) => delete it.kind)],
  ["no id", resourceBut((it) => delete it.id)],
  ["no actions", { ...check, resources: [{ resource, actions: [] }] }],
  ["an empty action", { ...check, resources: [{ resource, actions: ["a", ""] }] }],
  ["an action twice", { ...check, resources: [{ resource, actions: ["a", "a"] }] }],
  ...["a b", "1.0", "ä", "a\n", "_"].map((version) => [
    `version ${JSON.stringify(version)}`,
    resourceBut((it) => Object.assign(it, { policyVersion: version })),
  ]),
  ...[".", "a.b", "a_b-c.d", "a..b", "-a", "a.-b", "a.b.", ".a", "ä", "a\n"].map((scope) => [
    `scope ${JSON.stringify(scope)}`,
    resourceBut((it) => Object.assign(it, { scope })),
  ]),
  ["the principal's version", principalBut((it) => Object.assign(it, { policyVersion: "-" }))],
  ["the principal's scope", principalBut((it) => Object.assign(it, { scope: ".." }))],
  [
    "all of it is wrong",
    {
      principal: { id: "", roles: ["a", "a", ""], policyVersion: "-", scope: ".." },
      resources: [{ resource: { policyVersion: "-", scope: ".." }, actions: ["", ""] }, {}],
      auxData: { jwt: {}, jwts: { x: {} } },
    },
  ],

  ["jwt and jwts", auxData({ jwt: { token: "x" }, jwts: { a: { token: "y" } } })],
  ["no token", auxData({ jwt: {} })],
  ["no token in jwts", auxData({ jwts: { a: {}, b: { token: "" } } })],
  ["a token of no name", auxData({ jwts: { "": { token: "x" } } })],
  ["auxData empty", auxData({})],
  ["jwts empty", auxData({ jwts: {} })],
  ["a token that cannot be verified", auxData({ jwt: { token: "x" } })],
  ["a token among several that cannot be verified", auxData({ jwts: { a: { token: "x" } } })],
  ["a key set that there is not", auxData({ jwt: { token: "x", keySetId: "none" } })],

  ["an unknown field", { ...check, foo: 1 }, WORDS],
  ["an unknown field within", principalBut((it) => Object.assign(it, { foo: 1 })), WORDS],
  ["a number for a text", principalBut((it) => Object.assign(it, { id: 1 })), WORDS],
  ["a text for a list", principalBut((it) => Object.assign(it, { roles: "employee" })), WORDS],
  ["an object for a list", { ...check, resources: {} }, WORDS],
  ["a text for a truth value", { ...check, includeMeta: "true" }, WORDS],
  ["a list for attributes", principalBut((it) => Object.assign(it, { attr: [] })), WORDS],
  ["broken JSON", "{", WORDS],
  ["a comma too many", '{"requestId": "a",}', WORDS],
  ["a field twice", '{"requestId": "a", "requestId": "b"}', WORDS],
  ["a field by both of its names", '{"requestId": "a", "request_id": "b"}', WORDS],
  ["an attribute twice", JSON.stringify(check).replace('"team":"design"', '"team":"design","team":"other"'), WORDS],
  ["an attribute that is too large a number", JSON.stringify(check).replace('"design"', "1e400"), WORDS],
  ["half a character", JSON.stringify(check).replace('"design"', '"\\ud800"'), WORDS],
  ["an empty body", ""],
  ["{}", "{}"],
  ["[]", "[]", WORDS],
  ["null", "null", WORDS],
  ["a text", '"a"', WORDS],
  ["a mark of byte order", "\ufeff{}", WORDS],
  [
    "more after the end",
    `${JSON.stringify(check)}x`,
    ours(400, 3, "the PDP does not look at it; who signs or logs the whole body has seen more than it"),
  ],

  ["as many actions as may be", { ...check, resources: [{ resource, actions: seven.slice(1) }] }],
  ["too many actions", { ...check, resources: [{ resource, actions: seven }] }],
  ["too many resources", { ...check, resources: seven.map(() => check.resources[0]) }],
  ["too many of both", { ...check, resources: seven.map(() => ({ resource, actions: seven })) }],
  ["4 MB", principalBut((it) => Object.assign(it.attr, { big: "x".repeat(4e6) }))],
  ["5 MB", principalBut((it) => Object.assign(it.attr, { big: "x".repeat(5e6) })), WORDS],

  ["PUT", { method: "PUT", body: check }],
  ["GET", get(CHECK)],
  ["DELETE", get(CHECK, "DELETE")],
  ["HEAD", get(CHECK, "HEAD")],
  ["POST to health", { path: "/_cerbos/health", body: {} }],
  ["POST to the server's version", { path: "/api/server_info", body: {} }],
  ["GET of AuthZEN", get(ONE)],
  ["a path that there is not", get("/none")],
  ["a path of the API that there is not", { path: "/api/none", body: check }],
  ["a slash too many", { path: `${CHECK}/`, body: check }],

  ["health", get("/_cerbos/health")],
  ["health of Cerbos' service", get("/_cerbos/health?service=cerbos.svc.v1.CerbosService")],
  ["health of AuthZEN's", get("/_cerbos/health?service=authzen.authorization.v1.AuthorizationService")],
  ["health of a service that there is not", get("/_cerbos/health?service=none")],

  [
    "plans",
    { path: "/api/plan/resources", body: { principal, resource: { kind: "leave_request" }, actions } },
    ours(501, 12, "there are no plans yet"),
  ],

  ["a set", { path: SET, body: set }],
  ["a set with metadata", { path: SET, body: { ...set, includeMeta: true } }],
  ["an empty set", { path: SET, body: {} }],
  [
    "a set that is wrong",
    { path: SET, body: { ...set, actions: ["a", "a", ""], resource: { policyVersion: "-", scope: ".." } } },
  ],
  ["a set without resource", { path: SET, body: setBut((it) => delete it.resource) }],
  [
    "a set with too many",
    {
      path: SET,
      body: setBut((it) => Object.assign(it.resource, { instances: Object.fromEntries(seven.map((id) => [id, {}])) })),
    },
  ],
  ["a set with too many actions", { path: SET, body: { ...set, actions: seven } }],
  [
    "a set with an empty id",
    { path: SET, body: setBut((it) => Object.assign(it.resource, { instances: { "": {} } })) },
    ours(400, 3, "a resource has an id everywhere else"),
  ],
  ["a batch", { path: BATCH, body: batch }],
  ["an empty batch", { path: BATCH, body: {} }],
  [
    "a batch that is wrong",
    { path: BATCH, body: { principal: {}, resources: [{ actions: ["a", "a"], resource: {} }, {}] } },
  ],
  ["a batch with too many", { path: BATCH, body: { ...batch, resources: seven.map(() => batch.resources[0]) } }],

  ["an evaluation", { path: ONE, body: evaluation }],
  [
    "an evaluation with metadata",
    { path: ONE, body: { ...evaluation, context: { "cerbos.includeMeta": true, "cerbos.requestId": "r" } } },
  ],
  [
    "an evaluation with properties of its action",
    { path: ONE, body: evaluationBut((it) => Object.assign(it.action, { properties: { a: 1 } })) },
  ],
  ["an empty evaluation", { path: ONE, body: {} }],
  ["an evaluation without a body", { path: ONE, body: "" }],
  ["an evaluation of empty parts", { path: ONE, body: { subject: {}, resource: {}, action: {} } }],
  ["an evaluation with an unknown field", { path: ONE, body: { ...evaluation, foo: 1 } }, WORDS],
  [
    "an evaluation with a token that cannot be verified",
    { path: ONE, body: { ...evaluation, context: { "cerbos.auxData": { jwt: { token: "x" } } } } },
  ],
  [
    "an evaluation with tokens that are none",
    { path: ONE, body: { ...evaluation, context: { "cerbos.auxData": { foo: 1 } } } },
    ours(400, 3, "the PDP decides as if there were no tokens"),
  ],
  [
    "roles that are no list",
    { path: ONE, body: evaluationBut((it) => Object.assign(it.subject.properties, { "cerbos.roles": "employee" })) },
  ],
  [
    "roles that are not all texts",
    { path: ONE, body: evaluationBut((it) => it.subject.properties["cerbos.roles"].push(1)) },
  ],
  ["roles twice", { path: ONE, body: evaluationBut((it) => it.subject.properties["cerbos.roles"].push("employee")) }],
  [
    "a version that is none",
    { path: ONE, body: evaluationBut((it) => Object.assign(it.subject.properties, { "cerbos.policyVersion": "a b" })) },
  ],
  [
    "a scope that is none",
    { path: ONE, body: evaluationBut((it) => Object.assign(it.resource.properties, { "cerbos.scope": ".." })) },
  ],
  [
    "a version that is a number",
    { path: ONE, body: evaluationBut((it) => Object.assign(it.resource.properties, { "cerbos.policyVersion": 1 })) },
  ],
  ["evaluations", { path: MANY, body: { ...evaluation, evaluations: [{}, { action: { name: "approve" } }] } }],
  [
    "evaluations with metadata",
    {
      path: MANY,
      body: {
        ...evaluation,
        context: { "cerbos.includeMeta": true },
        evaluations: [{}, { action: { name: "approve" } }],
      },
    },
  ],
  ["no evaluations", { path: MANY, body: {} }],
  ["evaluations empty", { path: MANY, body: { ...evaluation, evaluations: [] } }],
  ["evaluations that lack something", { path: MANY, body: { evaluations: [{ subject }, { resource: evaluated }] } }],
  [
    "evaluations by a rule that there is not",
    { path: MANY, body: { ...evaluation, evaluations: [{}], options: { evaluations_semantic: "none" } } },
  ],
  ...["execute_all", "deny_on_first_deny", "permit_on_first_permit"].map((semantic) => [
    `evaluations by ${semantic}`,
    {
      path: MANY,
      body: {
        ...evaluation,
        evaluations: [{}, { action: { name: "approve" } }, {}],
        options: { evaluations_semantic: semantic },
      },
    },
  ]),
  ["too many evaluations", { path: MANY, body: { ...evaluation, evaluations: Array(26).fill({}) } }],
  [
    "evaluations of too many actions",
    { path: MANY, body: { ...evaluation, evaluations: seven.map((name) => ({ action: { name } })) } },
  ],
  [
    "evaluations of too many resources",
    { path: MANY, body: { ...evaluation, evaluations: seven.map((id) => ({ resource: { type: "x", id } })) } },
  ],
];

/** Services and methods of the paths. */
const METHODS = {
  [CHECK]: ["cerbos.svc.v1.CerbosService", "CheckResources"],
  [SET]: ["cerbos.svc.v1.CerbosService", "CheckResourceSet"],
  [BATCH]: ["cerbos.svc.v1.CerbosService", "CheckResourceBatch"],
  [ONE]: ["authzen.authorization.v1.AuthorizationService", "AccessEvaluation"],
  [MANY]: ["authzen.authorization.v1.AuthorizationService", "AccessEvaluationBatch"],
};

async function ask(url, { path, body, method = "POST", headers = JSON_TYPE }) {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url + path, { method, headers, ...(text === undefined ? {} : { body: text }) });
  const answer = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  // There is none after HEAD.
  const isBody = isJson && answer !== "";
  return { status: response.status, headers: response.headers, isJson, body: isBody ? JSON.parse(answer) : answer };
}

describe("our server answers as the PDP does", { skip }, () => {
  const { t, end } = lifetime();
  let pdp;
  let server;
  const clients = {};

  before(async () => {
    const requestLimits = { maxActionsPerResource: 5, maxResourcesPerRequest: 5 };
    const both = await startBoth(t, STORE, { schema: "reject", auxData: { jwt: JWT }, server: { requestLimits } });
    [pdp, server] = [both.pdp, both.ours];
    const services = [...new Set(Object.values(METHODS).map(([service]) => service))];
    clients.pdp = await reflectedClient(pdp.grpc, services);
    clients.ours = await reflectedClient(server.grpc, services);
  });
  after(async () => {
    clients.pdp?.close();
    clients.ours?.close();
    await end();
  });

  const told = ({ details, ...answer }) => ({
    ...answer,
    ...(details === undefined ? {} : { violations: clients.pdp.violations(details) }),
  });

  for (const [what, asked, differs] of REQUESTS) {
    const isBody = typeof asked === "string" || !("method" in asked || "path" in asked || "body" in asked);
    const message = { path: CHECK, ...(isBody ? { body: asked } : asked) };

    test(`over HTTP: ${what}`, async () => {
      const [expected, answer] = await Promise.all([ask(pdp.url, message), ask(server.url, message)]);
      if (differs?.why !== undefined) {
        assert.equal(answer.status, differs.status, JSON.stringify(answer.body));
        assert.equal(answer.body.code, differs.code);
        assert.notEqual(expected.status, differs.status, "we do not differ any more");
        return;
      }
      assert.equal(answer.status, expected.status, JSON.stringify(answer.body));
      assert.equal(answer.isJson, expected.isJson);
      if (differs?.words) {
        assert.equal(answer.body.code, expected.body.code);
        assert.notEqual(answer.body.message, "");
      } else {
        assert.deepEqual(comparable(answer.body), comparable(expected.body));
      }
    });

    // What is no message of protobuf cannot be sent.
    const method = METHODS[message.path];
    const isMessage = typeof message.body === "object" && (differs === undefined || differs.why !== undefined);
    if (method === undefined || !isMessage || message.method !== undefined || what.includes("4 MB")) {
      continue;
    }
    test(`over gRPC: ${what}`, async () => {
      const [expected, answer] = await Promise.all(
        [clients.pdp, clients.ours].map((it) => it.call(...method, message.body)),
      );
      if (differs?.why !== undefined) {
        assert.equal(answer.code, differs.code, answer.message);
        return;
      }
      assert.equal(answer.code, expected.code, answer.message);
      assert.deepEqual(comparable(told(answer)), comparable(told(expected)));
    });
  }

  test("over HTTP: a body that is too large, sent slowly, is answered all the same", async () => {
    for (const url of [pdp.url, server.url]) {
      const [begin, piece, close] = ['{"requestId": "', "x".repeat(1 << 20), '"}'];
      const status = await new Promise((resolve, reject) => {
        const length = begin.length + 6 * piece.length + close.length;
        const headers = { ...JSON_TYPE, "content-length": length };
        const sent = request(`${url}${CHECK}`, { method: "POST", headers }, ({ statusCode }) => resolve(statusCode));
        sent.on("error", reject);
        (async () => {
          sent.write(begin);
          for (let pieces = 0; pieces < 6; pieces++) {
            sent.write(piece);
            await sleep(30);
          }
          sent.end(close);
        })();
      });
      assert.equal(status, 429, url);
    }
  });

  const CERBOS = METHODS[CHECK][0];
  // Bytes that no client of a service would send, and other services.
  for (const [what, path, bytes, options = {}] of [
    ["5 MB", `/${CERBOS}/CheckResources`, Buffer.alloc(5e6)],
    ["bytes that are no message", `/${CERBOS}/CheckResources`, Buffer.from([0xff, 0xff, 0xff])],
    // The PDP does not see it.
    ["a text that is not UTF-8", `/${CERBOS}/CheckResources`, Buffer.from([0x0a, 1, 0xff]), { ours: 13 }],
    ["no bytes", `/${CERBOS}/CheckResources`, Buffer.alloc(0)],
    ["an unknown field", `/${CERBOS}/ServerInfo`, Buffer.from([0x98, 0x06, 1])],
    ["a method that there is not", `/${CERBOS}/None`, Buffer.alloc(0)],
    ["a service that there is not", "/none.v1.None/None", Buffer.alloc(0)],
    ["health", "/grpc.health.v1.Health/Check", Buffer.alloc(0)],
    ["health of Cerbos' service", "/grpc.health.v1.Health/Check", text(1, CERBOS)],
    ["health of AuthZEN's", "/grpc.health.v1.Health/Check", text(1, METHODS[ONE][0])],
    ["health of a service that there is not", "/grpc.health.v1.Health/Check", text(1, "none")],
    ["a message in gzip", `/${CERBOS}/ServerInfo`, Buffer.from([0x98, 0x06, 1]), { compression: 2 }],
  ]) {
    test(`over gRPC: ${what}`, async () => {
      const [expected, answer] = await Promise.all([pdp, server].map((it) => call(it.grpc, path, bytes, options)));
      if (options.ours !== undefined) {
        assert.equal(answer.code, options.ours);
        return;
      }
      assert.equal(answer.code, expected.code, answer.details);
      // The version is another.
      if (!path.endsWith("ServerInfo")) {
        assert.equal(answer.bytes, expected.bytes);
      }
    });
  }
});

/** A field of a message that is a text. */
function text(number, value) {
  return Buffer.from(new BinaryWriter().tag(number, 2).string(value).finish());
}

/** A call of bytes by bytes. */
function call(address, path, bytes, { compression = 0 }) {
  const options = { "grpc.default_compression_algorithm": compression, "grpc.max_send_message_length": -1 };
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), options);
  const same = (value) => value;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, bytes, new grpc.Metadata(), (error, answer) => {
      client.close();
      resolve(
        error === null ? { code: 0, bytes: answer.toString("hex") } : { code: error.code, details: error.details },
      );
    });
  });
}

/** Configurations of CORS, and what pages of other origins may ask by them: `[origin, method, headers]`. */
const PAGES = [
  ["http://app.test", "POST", "content-type"],
  ["http://app.test", "POST", ""],
  ["http://app.test", "GET", ""],
  ["http://app.test", "POST", "authorization"],
  ["http://app.test", "POST", "content-type,x-own"],
  ["http://app.test", "POST", "x-own"],
  ["http://other.test", "POST", ""],
];
const CORS = {
  "by default": {},
  "with origins": { allowedOrigins: ["http://app.test"] },
  "with any origin": { allowedOrigins: ["*"], maxAge: "10m" },
  "with headers": { allowedHeaders: ["x-own"] },
  disabled: { disabled: true },
};

describe("pages of other origins", { skip }, () => {
  const { t, end } = lifetime();
  const both = {};
  before(async () => {
    const start = async ([name, cors]) => {
      both[name] = await startBoth(t, STORE, { server: { cors } });
    };
    await Promise.all(Object.entries(CORS).map(start));
  });
  after(end);

  const ask = (name, path, init) =>
    Promise.all([both[name].pdp, both[name].ours].map(({ url }) => fetch(url + path, init)));

  for (const name of Object.keys(CORS)) {
    for (const [origin, method, wanted] of PAGES) {
      test(`${name}: ${origin} asks by ${method} with ${wanted || "no headers"}`, async () => {
        const asked = { origin, "access-control-request-method": method };
        const headers = wanted === "" ? asked : { ...asked, "access-control-request-headers": wanted };
        const [expected, answer] = await ask(name, CHECK, { method: "OPTIONS", headers });
        assert.equal(mayAsk(answer, asked, wanted), mayAsk(expected, asked, wanted));
      });
    }

    for (const origin of new Set(PAGES.map(([origin]) => origin))) {
      test(`${name}: ${origin} reads the answer`, async () => {
        const [expected, answer] = await ask(name, "/_cerbos/health", { headers: { origin } });
        const reads = ({ headers }) => ["*", origin].includes(headers.get("access-control-allow-origin"));
        assert.equal(reads(answer), reads(expected));
      });
    }
  }

  test("browsers are told how long they may remember it", async () => {
    const headers = { origin: "http://app.test", "access-control-request-method": "POST" };
    const response = await fetch(both["with any origin"].ours.url + CHECK, { method: "OPTIONS", headers });
    assert.equal(response.headers.get("access-control-max-age"), "600");
  });
});

/** Whether a browser goes on after a preflight. */
function mayAsk({ ok, headers }, { origin, "access-control-request-method": method }, wanted) {
  const list = (name) => (headers.get(name) ?? "").toLowerCase().split(/\s*,\s*/);
  const isListed = (name, value) => list(name).some((it) => it === "*" || it === value.toLowerCase());
  return (
    ok &&
    ["*", origin].includes(headers.get("access-control-allow-origin")) &&
    (["GET", "HEAD", "POST"].includes(method) || isListed("access-control-allow-methods", method)) &&
    wanted.split(",").every((name) => name === "" || isListed("access-control-allow-headers", name))
  );
}
