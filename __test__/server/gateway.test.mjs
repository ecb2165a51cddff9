/** Who makes the requests that proxies ask about: tokens of Clerk and WorkOS, certificates, nobody. The proxies themselves are in `examples/gateway`. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { raw } from "../examples/support/gateway.mjs";
import { reflectedClient } from "./grpc.mjs";
import { startServer, temporary, until } from "./support.mjs";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: page
  version: default
  rules:
    - { actions: [get], effect: EFFECT_ALLOW, roles: ["org:admin", admin, member, user, service, guest] }
    - actions: [get]
      effect: EFFECT_DENY
      roles: [guest]
      condition: { match: { expr: R.attr.section != "public" } }
`;

const ROUTES = [
  { path: "/{section}/{rest*}", resource: { kind: "page", attr: { section: "{section}" } }, action: "{method}" },
];

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "EdDSA", use: "sig" };
const AUTHORIZATION = "envoy.service.auth.v3.Authorization";
const ISSUER = "https://login.example.com";

function token(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: ISSUER, iat: now, exp: now + 600, ...claims };
  const message = `${part({ alg: "EdDSA", kid: "one", typ: "JWT" })}.${part(all)}`;
  return `${message}.${sign(undefined, Buffer.from(message), privateKey).toString("base64url")}`;
}

const auxData = { jwt: { keySets: [{ id: "login", local: { jwks: { keys: [jwk] } }, issuer: ISSUER }] } };
const byToken = (claims) => ({ token: { keySet: "login", ...(claims && { claims }) } });

async function start(t, identity, { routes = ROUTES, ...options } = {}) {
  const orthrus = await Orthrus.fromFiles({ "page.yaml": POLICY });
  const gateway = { proxies: ["traefik"], routes, identity };
  const { http, events } = await startServer(t, orthrus, { auxData, gateway, ...options });
  const port = Number(http.split(":")[1]);
  const ask = async (uri, headers = []) => {
    const asked = [
      ["X-Forwarded-Method", "GET"],
      ["X-Forwarded-Uri", uri],
      ["X-Forwarded-Host", "app.example.com"],
    ];
    const { status, headers: told } = await raw(port, {
      target: "/forward-auth/traefik",
      headers: [...asked, ...headers],
    });
    return { status, principal: told["x-orthrus-principal"], roles: told["x-orthrus-roles"] };
  };
  return { ask, events };
}

const bearer = (claims) => [["Authorization", `Bearer ${token(claims)}`]];

describe("who makes a request", () => {
  for (const [name, mapping, claims, principal, roles] of [
    ["by the standard claims", undefined, { sub: "ann", roles: ["member"] }, "ann", "member"],
    [
      "with roles of another claim",
      { provider: "standard", rolesClaim: "groups" },
      { sub: "ann", groups: ["admin"] },
      "ann",
      "admin",
    ],
    ["without roles", { provider: "standard", defaultRole: "guest" }, { sub: "max" }, "max", "guest"],
    [
      "by a session of Clerk",
      { provider: "clerk" },
      {
        sub: "user_1",
        sid: "sess_1",
        v: 2,
        fva: [1, -1],
        sts: "active",
        o: { id: "org_1", rol: "admin", slg: "acme" },
      },
      "user_1",
    ],
    [
      "by a session of WorkOS",
      { provider: "workos" },
      { sub: "user_2", sid: "session_2", org_id: "org_2", role: "member", permissions: [] },
      "user_2",
    ],
  ]) {
    test(name, async (t) => {
      const { ask } = await start(t, byToken(mapping));
      const told = await ask("/public/a", bearer(claims));
      assert.deepEqual([told.status, told.principal], [200, principal], JSON.stringify(told));
      if (roles !== undefined) {
        assert.equal(told.roles, roles);
      }
      const { status } = await ask("/public/a", bearer({ ...claims, iss: "https://other.example.com" }));
      assert.equal(status, 401, "nobody else's tokens");
    });
  }

  test("claims that are somebody's but make no principal are refused", async (t) => {
    const { ask, events } = await start(t, byToken({ provider: "clerk", requireOrganization: true }));
    const { status } = await ask("/public/a", bearer({ sub: "user_1", sid: "sess_1", v: 2, sts: "active" }));
    assert.equal(status, 401);
    assert.ok(events.some(({ fields }) => fields.reason === "IDENTITY_NO_ORGANIZATION"));
  });

  test("by a certificate that the proxy tells of", async (t) => {
    const { ask } = await start(t, { certificate: { header: "X-Client-Id" } });
    const named = (...names) => names.map((name) => ["X-Client-Id", name]);
    assert.deepEqual(await ask("/a", named("spiffe://acme/billing")), {
      status: 200,
      principal: "spiffe:%2F%2Facme%2Fbilling".replaceAll("%2F", "/"),
      roles: "service",
    });
    assert.equal((await ask("/a")).status, 401);
    assert.equal((await ask("/a", named("one", "two"))).status, 401, "there twice, it came from the client as well");
  });

  for (const [name, certificate] of [
    ["a certificate that Envoy tells of over gRPC", {}],
    ["the same where other proxies tell of it by a header", { header: "X-Client-Id" }],
  ]) {
    test(`by ${name}`, async (t) => {
      const orthrus = await Orthrus.fromFiles({ "page.yaml": POLICY });
      const gateway = { proxies: ["envoy"], routes: ROUTES, identity: { certificate } };
      const { grpc } = await startServer(t, orthrus, { auxData, gateway });
      const client = await reflectedClient(grpc, [AUTHORIZATION]);
      t.after(() => client.close());
      const principal = async (source, headers) => {
        const http = { method: "GET", path: "/a/b", host: "app.example.com", headers };
        const { response } = await client.call(AUTHORIZATION, "Check", { attributes: { source, request: { http } } });
        return response.okResponse?.headers.find(({ header }) => header.key === "x-orthrus-principal")?.header.value;
      };
      const billing = { principal: "spiffe://acme/billing" };
      assert.equal(await principal(billing, { "x-client-id": "spiffe://acme/root" }), billing.principal);
      assert.equal(await principal(billing, {}), billing.principal);
      assert.equal(await principal({}, { "x-client-id": "spiffe://acme/root" }), undefined);
    });
  }

  test("nobody, where that is somebody", async (t) => {
    const { ask } = await start(t, { ...byToken(), anonymous: { id: "anonymous", roles: ["guest"] } });
    assert.deepEqual(await ask("/public/a"), { status: 200, principal: "anonymous", roles: "guest" });
    assert.equal((await ask("/private/a")).status, 403);
    assert.equal(
      (await ask("/public/a", [["Authorization", "Bearer x"]])).status,
      401,
      "a wrong token is no lack of one",
    );
    assert.equal((await ask("/public/a", [["Authorization", "Basic YTpi"]])).status, 401);
  });

  test("what is told is fit for headers", async (t) => {
    const { ask } = await start(t, byToken());
    const { principal, roles } = await ask("/a", bearer({ sub: "Ann Ö\n,", roles: ["user", "a,b"] }));
    assert.deepEqual([principal, roles], ["Ann%20%C3%96%0A%2C", "user,a%2Cb"]);
  });
});

test("hosts and parameters that could be read in two ways are refused", async (t) => {
  const routes = [
    {
      path: "/a",
      hosts: ["*.example.com"],
      resource: { kind: "page", attr: { section: { query: "s" } } },
      action: "get",
    },
  ];
  const orthrus = await Orthrus.fromFiles({ "page.yaml": POLICY });
  const identity = { anonymous: { id: "anonymous", roles: ["guest"] } };
  const { http } = await startServer(t, orthrus, { gateway: { proxies: ["traefik"], routes, identity } });
  const status = async (host, uri = "/a?s=public") => {
    const headers = [
      ["X-Forwarded-Method", "GET"],
      ["X-Forwarded-Uri", uri],
      ["X-Forwarded-Host", host],
    ];
    return (await raw(Number(http.split(":")[1]), { target: "/forward-auth/traefik", headers })).status;
  };
  for (const host of ["a.example.com", "a.example.com:8443", "A.example.com.", "a_b.example.com"]) {
    assert.equal(await status(host), 200, host);
  }
  for (const host of [
    ".example.com",
    "a..example.com",
    "a.example.com:evil",
    "[::1]evil",
    "[a.example.com]",
    ".",
    ":80",
  ]) {
    assert.equal(await status(host), 400, host);
  }
  assert.equal(await status("a.example.com", "/a?s=private"), 403);
  assert.equal(await status("a.example.com", "/a?s=public&s=private"), 403);
  assert.equal(await status("a.example.com", "/a?s=public&%73=public"), 403);
  assert.equal(await status("a.example.com", "/a?s=public&t=1&t=2"), 200, "others do not count");
});

test("routes are read again when their file changes, and what is broken changes nothing", async (t) => {
  const routes = join(temporary(t), "routes.yaml");
  const write = (path) =>
    writeFileSync(
      routes,
      `routes:\n  - { path: ${path}, resource: { kind: page, attr: { section: a } }, action: get }\n`,
    );
  write("/one");
  const { ask, events } = await start(t, byToken(), { routes });
  const status = async (path) => (await ask(path, bearer({ sub: "ann", roles: ["user"] }))).status;
  assert.deepEqual([await status("/one"), await status("/two")], [200, 403]);
  write("/two");
  await until(async () => (await status("/two")) === 200, 15_000);
  assert.equal(await status("/one"), 403);
  write("two");
  const refused = ({ logger, level }) => logger === "orthrus.gateway" && level === "error";
  await until(() => events.some(refused), 15_000);
  assert.match(events.find(refused).fields.error, /routes\.yaml:2:/);
  assert.equal(await status("/two"), 200);
  rmSync(routes);
  await until(() => events.filter(refused).length === 2, 15_000);
  assert.equal(await status("/two"), 200, "nor does a file that is gone");
});

describe("what is refused at the start", () => {
  for (const [name, path, gateway, options = {}] of [
    ["no proxies", "gateway.proxies", { proxies: [] }],
    ["a proxy that is none", "gateway.proxies[0]", { proxies: ["squid"] }],
    ["nobody who could ask", "gateway.identity", { identity: {} }],
    ["a key set that is not there", "gateway.identity.token.keySet", { identity: { token: { keySet: "none" } } }],
    [
      "a key set without issuer",
      "gateway.identity.token.keySet",
      {},
      { auxData: { jwt: { keySets: [{ id: "login", local: { jwks: { keys: [jwk] } } }] } } },
    ],
    ["tokens that nobody verifies", "gateway.identity.token", {}, { auxData: { jwt: { disableVerification: true } } }],
    ["a file of routes that is not there", "gateway.routes", { routes: "none.yaml" }],
    ["no routes", "gateway.routes", { routes: [] }],
    ["routes that are wrong", "gateway.routes", { routes: [{ path: "a", resource: { kind: "x" }, action: "y" }] }],
    ["a certificate that nobody tells of", "gateway.identity.certificate.header", { identity: { certificate: {} } }],
    ...["x-forwarded-uri", "Authorization", "X-Original-URI", "User-Agent", "X-Orthrus-Principal", "a b", ""].map(
      (header) => [
        `a certificate in the header ${header}`,
        "gateway.identity.certificate.header",
        { identity: { certificate: { header } } },
      ],
    ),
    [
      "a certificate without role",
      "gateway.identity.certificate.role",
      { identity: { certificate: { header: "X-A", role: "" } } },
    ],
    [
      "a cookie that is none",
      "gateway.identity.token.cookie",
      { identity: { token: { keySet: "login", cookie: "a;b" } } },
    ],
    [
      "somebody with a role that is none",
      "gateway.identity.anonymous",
      { identity: { anonymous: { id: "a", roles: ["", "b"] } } },
    ],
    ...["X-User-Id", "x-orthrus-principal"].map((header) => [
      `an attribute from ${header}`,
      "gateway.routes",
      { routes: [{ path: "/a", resource: { kind: "x", attr: { who: { header } } }, action: "y" }] },
    ]),
    ["a mapping that there is not", "gateway.identity.token.claims", { identity: byToken({ provider: "other" }) }],
  ]) {
    test(name, async (t) => {
      const orthrus = await Orthrus.fromFiles({ "page.yaml": POLICY });
      const whole = { proxies: ["traefik"], routes: ROUTES, identity: byToken(), ...gateway };
      await assert.rejects(startServer(t, orthrus, { auxData, gateway: whole, ...options }), (error) => {
        assert.equal(error.code, "OPTIONS_INVALID", error.message);
        assert.ok(error.path.startsWith(path.replace(/\.claims$/, "")), `${error.path}: ${error.message}`);
        return true;
      });
    });
  }
});
