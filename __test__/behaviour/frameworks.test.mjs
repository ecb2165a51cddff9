/** What the guards answer: each case in each framework, over the real engine. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IdentityError, Orthrus } from "orthrus";
import { principalFromClerk } from "orthrus/clerk";
import { skip } from "../support/addon.mjs";
import { apps } from "../support/apps.mjs";

const POLICIES = {
  "document.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr.orgId == P.attr.orgId
      output:
        when:
          ruleActivated: '"seen by " + P.id'
    - actions: [edit]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr.ownerId == P.id
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.public == true
`,
};
const SECRET = "connection string postgres://secret";
const failing = (error) => () => {
  throw error;
};

const documents = new Map(
  [
    { id: "1", orgId: "acme", ownerId: "ann", public: false },
    { id: "2", orgId: "globex", ownerId: "gil", public: false },
    { id: "open", orgId: "globex", ownerId: "gil", public: true },
    { id: "a/1", orgId: "acme", ownerId: "eve", public: false },
  ].map(({ id, ...attr }) => [id, { kind: "document", id, attr }]),
);
const people = {
  ann: { id: "ann", roles: ["user"], attr: { orgId: "acme" } },
  bob: { id: "bob", roles: ["user"], attr: { orgId: "acme" } },
};
const signedOut = { tokenType: "session_token", isAuthenticated: false };

/** Stands where an SDK has verified a token: here the token is a name. */
const byToken = (header) => people[header("authorization")?.replace("Bearer ", "")] ?? null;
const byId = (id) => documents.get(id);

const ALLOWED = {
  ...{ id: "1", checked: "1", principal: "ann", action: "view", edit: true, outputs: ["seen by ann"] },
  snapshot: [{ resource: { kind: "document", id: "1" }, actions: { view: true } }],
};
const as = (name) => ({ headers: { authorization: `Bearer ${name}` } });
const denied = { 401: { error: "unauthorized" }, 403: { error: "forbidden" }, 503: { error: "unavailable" } };
const spoofed = {
  "x-user-id": "ann",
  "x-user-roles": '["user","admin"]',
  "x-clerk-auth-status": "signed-in",
  "x-clerk-auth-token": "ann",
  "x-workos-session": "ann",
  "x-workos-middleware": "true",
};

/**
 * `expected` is a status, or a status and a body. The rest changes the application: `principal`, `resource`, `action` and so on
 * replace what it has; `reason` is what the log is told, by a pattern.
 */
const cases = [
  { name: "allows what the policies allow", init: as("ann"), expected: [200, ALLOWED] },
  {
    name: "tells what else may be done",
    init: as("bob"),
    expected: [200, { ...ALLOWED, principal: "bob", edit: false, outputs: ["seen by bob"] }],
  },
  {
    name: "decides further actions in the same check",
    also: ["edit"],
    init: as("bob"),
    expected: [
      200,
      {
        ...{ ...ALLOWED, principal: "bob", edit: false, outputs: ["seen by bob"] },
        snapshot: [{ resource: { kind: "document", id: "1" }, actions: { view: true, edit: false } }],
      },
    ],
  },
  { name: "takes an action that is computed", action: async () => "edit", init: as("bob"), expected: 403 },
  { name: "takes a principal that is promised", principal: async () => people.ann, expected: [200, ALLOWED] },
  {
    name: "takes an engine that is promised",
    engine: (engine) => Promise.resolve(engine),
    init: as("ann"),
    expected: 200,
  },
  { name: "takes an engine by a function", engine: (engine) => async () => engine, init: as("ann"), expected: 200 },
  { name: "answers 401 to nobody", expected: 401, reason: /nobody is signed in/ },
  { name: "answers 401 to a principal that is undefined", principal: () => undefined, expected: 401 },
  { name: "answers 401 to nobody about what is not there", path: "/documents/9", expected: 401 },
  { name: "answers 401 to an unknown token", init: as("eve"), expected: 401 },
  {
    name: "answers 401 to a signed-out principal that is denied",
    principal: () => principalFromClerk(signedOut),
    expected: 401,
    reason: /nobody is signed in, and the policies do not allow it/,
  },
  {
    name: "answers 401 to a signed-out principal about what is not there",
    principal: () => principalFromClerk(signedOut),
    path: "/documents/9",
    expected: 401,
  },
  {
    name: "allows a signed-out principal what everybody may",
    principal: () => principalFromClerk(signedOut),
    path: "/documents/open",
    expected: 200,
  },
  {
    name: "answers 401 where the mapper throws",
    principal: () => principalFromClerk(signedOut, { onUnauthenticated: "throw" }),
    expected: 401,
    reason: /did not accept/,
  },
  {
    name: "answers 401 to an inactive user",
    principal: failing(new IdentityError("IDENTITY_INACTIVE", SECRET)),
    expected: 401,
  },
  ...[
    ["JWT_EXPIRED", 401],
    ["JWT_REVOKED", 401],
    ["JWT_KEY_UNKNOWN", 401],
    ["JWT_KEYS_UNAVAILABLE", 503],
    ["JWT_REVOCATION_UNAVAILABLE", 503],
    ["REQUEST_JWT_UNAVAILABLE", 503],
    ["IDENTITY_INVALID", 401],
    ["IDENTITY_NO_ORGANIZATION", 403],
    ["NATIVE_UNAVAILABLE", 500],
    ["ENOENT", 500],
  ].map(([code, expected]) => ({
    name: `answers ${expected} to an error with the code ${code}`,
    principal: failing(Object.assign(new Error(SECRET), { code })),
    expected,
    reason: /secret/,
  })),
  { name: "answers 403 to another tenant", init: as("ann"), path: "/documents/2", expected: 403, reason: /policies/ },
  {
    name: "answers 403 about what is not there",
    init: as("ann"),
    path: "/documents/9",
    expected: 403,
    reason: /no such resource/,
  },
  {
    name: "answers 404 where the application says so",
    resource: (_id, notFound) => notFound(),
    init: as("ann"),
    path: "/documents/9",
    expected: 404,
  },
  { name: "does not read identity from headers", init: { headers: spoofed }, expected: 401 },
  {
    name: "does not let headers change who is known",
    init: { headers: { ...spoofed, ...as("bob").headers } },
    action: "edit",
    expected: 403,
  },
  { name: "decodes an id", init: as("ann"), path: "/documents/%31", expected: [200, ALLOWED] },
  {
    name: "checks the id that the handler gets",
    init: as("ann"),
    path: "/documents/a%2F1",
    expected: [
      200,
      {
        ...{ ...ALLOWED, id: "a/1", checked: "a/1", edit: false },
        snapshot: [{ resource: { kind: "document", id: "a/1" }, actions: { view: true } }],
      },
    ],
  },
  { name: "decodes an id only once", init: as("ann"), path: "/documents/%2531", expected: 403 },
  {
    name: "fails where the principal cannot be told",
    principal: failing(new Error(SECRET)),
    expected: 500,
    reason: /secret/,
  },
  {
    name: "fails where the identity provider refuses the application itself",
    principal: failing(Object.assign(new Error(SECRET), { status: 401, statusCode: 401 })),
    expected: 500,
  },
  {
    name: "fails where the resource cannot be told",
    resource: failing(new Error(SECRET)),
    init: as("ann"),
    expected: 500,
  },
  {
    name: "fails where a string is thrown",
    resource: failing(SECRET),
    init: as("ann"),
    expected: 500,
    reason: /secret/,
  },
  { name: "fails where nothing is thrown", resource: failing(undefined), init: as("ann"), expected: 500 },
  { name: "fails where the action cannot be told", action: failing(new Error(SECRET)), init: as("ann"), expected: 500 },
  { name: "fails where there is no action", action: () => undefined, init: as("ann"), expected: 500 },
  {
    name: "fails where the engine cannot be opened",
    engine: () => failing(new Error(SECRET)),
    init: as("ann"),
    expected: 500,
  },
  {
    name: "fails where the engine is closed",
    engine: (engine) => {
      engine.close();
      return engine;
    },
    init: as("ann"),
    expected: 500,
    reason: /closed/,
  },
  {
    name: "fails where the principal is none",
    principal: () => ({ id: "ann", roles: [SECRET, SECRET] }),
    expected: 500,
    reason: /principal\.roles/,
  },
  {
    name: "answers 401 to a token of the right issuer that is of no session, as Clerk's templates make them",
    principal: () => principalFromClerk({ sub: "user_1", iss: "https://clerk.test" }),
    expected: 401,
    reason: /no sid/,
  },
  {
    name: "fails where an SDK's result is misunderstood",
    principal: () => principalFromClerk(Promise.resolve(signedOut)),
    expected: 500,
    reason: /await it/,
  },
  {
    name: "fails where a token in auxData cannot be decoded by anybody",
    auxData: () => ({ jwt: { token: SECRET } }),
    init: as("ann"),
    expected: 500,
    reason: /decodeJWTPayload/,
  },
  {
    name: "answers 401 where a token in auxData is refused",
    auxData: () => ({ jwt: { token: SECRET } }),
    options: { decodeJWTPayload: failing(new Error("expired")) },
    init: as("ann"),
    expected: 401,
    reason: /expired/,
  },
  {
    name: "answers 503 where a token in auxData cannot be verified now",
    auxData: () => ({ jwt: { token: SECRET } }),
    options: { decodeJWTPayload: failing(Object.assign(new Error("no keys"), { code: "JWT_KEYS_UNAVAILABLE" })) },
    init: as("ann"),
    expected: 503,
  },
  { name: "lets the application answer a denial", onDenied: () => true, expected: 302 },
  { name: "answers a denial that the application does not", onDenied: () => false, expected: 401 },
  {
    name: "does not pass where answering fails",
    onDenied: failing(new Error("onDenied")),
    expected: 500,
    mayTell: true,
  },
  { name: "does not pass where the log fails", log: failing(new Error("log")), expected: 500, mayTell: true },
];

for (const [framework, create] of Object.entries(apps)) {
  describe(`a guard in ${framework}`, { skip }, () => {
    for (const row of cases) {
      test(row.name, async () => {
        const { principal = byToken, resource = byId, action = "view", also, auxData, onDenied, options, init } = row;
        const engine = await Orthrus.fromFiles(POLICIES, options);
        const logged = [];
        const setup = {
          engine: row.engine?.(engine) ?? engine,
          principal,
          auxData,
          log: row.log ?? ((refusal) => logged.push(refusal)),
        };
        let reached = 0;
        const question = { resource, action, also };
        const app = await create({ setup, question, onDenied, reached: () => void reached++ });
        try {
          const response = await app.fetch(row.path ?? "/documents/1", init);
          const text = await response.text();
          const [status, body = denied[status]] = [row.expected].flat();
          assert.equal(response.status, status, text);
          assert.equal(reached, status === 200 ? 1 : 0, "whether the handler ran");
          if (body !== undefined) {
            assert.deepEqual(JSON.parse(text), body);
          }
          assert.equal(response.headers.get("www-authenticate"), status === 401 ? "Bearer" : null);
          assert.doesNotMatch(text, /secret|REQUEST_|ENGINE_|roles|policies|rule| {4}at /);
          if (status === 500 && !row.mayTell) {
            assert.doesNotMatch(text, /await|closed|decode|principal/);
          }
          assert.deepEqual(
            logged.map((refusal) => refusal.status),
            [401, 403, 503, 500].includes(status) && !row.log && !row.mayTell ? [status] : logged.map(() => 401),
          );
          if (row.reason !== undefined) {
            assert.match(logged[0].reason, row.reason);
          }
        } finally {
          await app.close();
          engine.close();
        }
      });
    }
  });
}
