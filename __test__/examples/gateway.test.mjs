/**
 * `examples/gateway`: Caddy, nginx and Envoy as they are, and Traefik's way of asking, in front of an origin; and who tries to get past them.
 *
 * What comes of each attack at each proxy is a table in docs/gateways.md, which is compared with what is seen here.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificates } from "../../examples/gateway/certificates.mjs";
import { PROXIES } from "../../examples/gateway/proxies.mjs";
import { inRoot } from "../../scripts/lib/project.mjs";
import { skip } from "./support/app.mjs";
import { raw, startGateways } from "./support/gateway.mjs";

const NAMES = ["caddy", "nginx", "envoy-http", "envoy-grpc", "traefik"];
const BIG = "x".repeat(100_000);
const BODY = "b".repeat(10_000_000);

const bearer = (token) => [["Authorization", `Bearer ${token}`]];
const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

/** A token without a signature. */
function unsigned(token) {
  const [, payload] = token.split(".");
  return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${payload}.`;
}

/** A request that stands where another one ends. */
const smuggled =
  "GET /admin HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nX-Orthrus-Principal: root\r\n\r\n";

/**
 * What is tried, by the name that it has in the table: a request as Ann unless it says otherwise. It must not reach the origin, unless it `passes`:
 * always, or where the proxy lets it. `parser` is what only a real proxy can show, and not a client that asks as one does.
 */
const ATTACKS = {
  "a token, and what it may": { target: "/profiles/ann", passes: true },
  "a token, and what it may not": { target: "/admin" },
  "no token": { target: "/profiles/ann", as: () => [] },
  "a token that is over": { target: "/profiles/ann", claims: { exp: 1_000_000_000 } },
  "a token for somebody else": { target: "/profiles/ann", claims: { aud: "https://other.example.com" } },
  "a token by a key of one's own": { target: "/profiles/ann", as: (issuer) => bearer(issuer.token({}, {}, foreign)) },
  "a token without signature": { target: "/profiles/ann", as: (issuer) => bearer(unsigned(issuer.token())) },
  "two tokens": { target: "/profiles/ann", as: (issuer) => [...bearer(issuer.token()), ...bearer(issuer.token())] },
  "a token in a cookie": {
    target: "/profiles/ann",
    as: (issuer) => [["Cookie", `a=b; session=${issuer.token()}`]],
    passes: true,
  },
  "two cookies of that name": {
    target: "/profiles/ann",
    as: (issuer) => [
      ["Cookie", `session=${issuer.token()}; session=${issuer.token({ sub: "root", roles: ["admin"] })}`],
    ],
  },
  "no route": { target: "/nothing" },
  "a method without a route": { method: "DELETE", target: "/profiles/ann" },
  "another host": { target: "/reports/1", hosts: ["intern.example.com"] },
  "two `Host`s": { target: "/reports/1", hosts: ["app.example.com", "intern.example.com"] },
  "`GET http://app/reports/1` with another `Host`": {
    target: "http://app.example.com/reports/1",
    hosts: ["intern.example.com"],
    passes: "where the URL is what counts",
    arrives: "/reports/1",
  },
  "`X-Forwarded-Uri` of what is allowed": { target: "/admin", headers: [["X-Forwarded-Uri", "/profiles/ann"]] },
  "`X-Forwarded-Method: GET` for a PUT": {
    method: "PUT",
    target: "/profiles/max",
    headers: [["X-Forwarded-Method", "GET"]],
  },
  "`X-Original-URI`, `-URL` and `-Method`": {
    target: "/admin",
    headers: [
      ["X-Original-URI", "/profiles/ann"],
      ["X-Original-URL", "/profiles/ann"],
      ["X-Original-Method", "GET"],
    ],
  },
  "`X-Forwarded-Host` and `-For`": {
    target: "/profiles/ann",
    headers: [
      ["X-Forwarded-Host", "evil.example.com"],
      ["X-Forwarded-For", "10.0.0.1"],
    ],
    passes: true,
  },
  "`X-Orthrus-Principal: root`, twice, and roles": {
    target: "/profiles/ann",
    headers: [
      ["X-Orthrus-Principal", "root"],
      ["x-orthrus-principal", "root"],
      ["X-ORTHRUS-ROLES", "admin"],
      ["X-Orthrus-Call-Id", "1"],
    ],
    passes: true,
  },
  "`X_Orthrus_Principal: root` and its like": {
    target: "/profiles/ann",
    headers: [
      ["X_Orthrus_Principal", "root"],
      ["X-Orthrus_Principal", "root"],
      ["X_Orthrus-Principal", "root"],
      ["x_orthrus_ROLES", "admin"],
    ],
    passes: true,
  },
  "`X-Client-Certificate`, and no token": {
    target: "/files/a",
    as: () => [],
    headers: [["X-Client-Certificate", "spiffe://acme/billing"]],
  },
  "`Connection: X-Orthrus-Principal`": {
    target: "/profiles/ann",
    connection: "close, X-Orthrus-Principal, X-Orthrus-Roles, X-Orthrus-Call-Id",
    passes: true,
  },
  "`Connection: X-Forwarded-Uri` and `X-Original-URI`": {
    target: "/admin",
    connection: "close, X-Forwarded-Uri, X-Forwarded-Method, X-Original-URI, X-Original-Method",
  },
  "`Connection: Authorization`": {
    target: "/profiles/ann",
    connection: "close, Authorization",
    passes: "where nobody heeds it",
  },
  "`X-Original-URL: /admin`, `X-Rewrite-URL`": {
    target: "/profiles/ann",
    headers: [
      ["X-Original-URL", "/admin"],
      ["X-Rewrite-URL", "/admin"],
    ],
    passes: true,
  },
  "`X-HTTP-Method-Override: PUT`": {
    target: "/profiles/max",
    headers: [["X-HTTP-Method-Override", "PUT"]],
    passes: true,
  },
  "`/%61dmin`": { target: "/%61dmin" },
  "`/ADMIN`": { target: "/ADMIN" },
  "`/admin/`": { target: "/admin/" },
  "`/admin.`": { target: "/admin." },
  "`/admin;x`": { target: "/admin;x" },
  "`//admin`": { target: "//admin" },
  "`//files/admin`": {
    target: "//files/admin",
    passes: "where it is one slash to the origin as well",
    arrives: "/files/admin",
  },
  "`/./admin`": { target: "/./admin" },
  "`/files/../admin`": { target: "/files/../admin" },
  "`/files/%2e%2e/admin`": { target: "/files/%2e%2e/admin" },
  "`/files/..%2fadmin`": { target: "/files/..%2fadmin" },
  "`/files/%252e%252e/admin`": { target: "/files/%252e%252e/admin" },
  "`/files/..%2Fadmin`": { target: "/files/..%2Fadmin" },
  "`/files/..%5cadmin`": { target: "/files/..%5cadmin" },
  "`/files/..\\admin`": { target: "/files/..\\admin" },
  "`/files/..;/admin`": { target: "/files/..;/admin" },
  "`/files/a%00b`": { target: "/files/a%00b" },
  "`/files/%c0%ae%c0%ae/admin` (overlong)": { target: "/files/%c0%ae%c0%ae/admin" },
  "`/admin?a=/profiles/ann`": { target: "/admin?a=/profiles/ann" },
  "`/profiles/ann#/../../admin`": { target: "/profiles/ann#/../../admin" },
  "`get` in small letters": { method: "get", target: "/profiles/ann", parser: true },
  "`X-Orthrus-Principal : root` (a space)": {
    target: "/profiles/ann",
    headers: [["X-Orthrus-Principal ", "root"]],
    parser: true,
  },
  "a second request on the connection": {
    target: "/profiles/ann",
    connection: "keep-alive",
    behind: smuggled,
    passes: true,
  },
  "`Content-Length` and `Transfer-Encoding`": {
    method: "PUT",
    target: "/profiles/ann",
    connection: "keep-alive",
    headers: [
      ["Content-Length", String(smuggled.length + 5)],
      ["Transfer-Encoding", "chunked"],
    ],
    behind: `0\r\n\r\n${smuggled}`,
    passes: "where one of them is dropped",
    parser: true,
  },
  "`Content-Length` twice": {
    method: "PUT",
    target: "/profiles/ann",
    connection: "keep-alive",
    headers: [
      ["Content-Length", "0"],
      ["Content-Length", String(smuggled.length)],
    ],
    behind: smuggled,
    parser: true,
  },
  "`Upgrade: h2c`": {
    target: "/profiles/ann",
    connection: "close, Upgrade, HTTP2-Settings",
    headers: [
      ["Upgrade", "h2c"],
      ["HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"],
    ],
    passes: true,
  },
  "`GET http://other/admin` (absolute form)": { target: "http://other.example.com/admin" },
  "HTTP/1.0": { target: "/profiles/ann", version: "1.0", passes: "where the proxy speaks it" },
  "200 headers": {
    target: "/profiles/ann",
    headers: Array.from({ length: 200 }, (_, index) => [`X-${index}`, "a"]),
  },
  "a header of 100 kB": {
    target: "/profiles/ann",
    headers: [["X-Big", BIG]],
  },
  "a body of 10 MB": { method: "PUT", target: "/profiles/ann", body: BODY, passes: true },
};

/** What origins may take in place of the method and the path that were decided upon. */
const OVERRIDES = ["x-original-url", "x-rewrite-url", "x-http-method", "x-http-method-override", "x-method-override"];

/** What a client may read when it is refused: what is documented, or the proxy's own page. */
const BODIES = [
  '{"error":"bad request"}',
  '{"error":"unauthorized"}',
  '{"error":"forbidden"}',
  '{"error":"unavailable"}',
];

describe("gateway", { skip }, () => {
  const certificates = mkdtempSync(join(tmpdir(), "orthrus-certificates-"));
  let gateways;
  const seen = {};

  before(async () => {
    makeCertificates(certificates);
    gateways = await startGateways(certificates);
  });
  after(async () => {
    await gateways?.close();
    rmSync(certificates, { recursive: true, force: true });
  });

  /** Tries it; resolves to the answer, and what the origin got of it. */
  async function attempt(proxy, { claims, as = (issuer) => bearer(issuer.token(claims)), headers = [], ...request }) {
    const { issuer, origin, proxies } = gateways;
    const before = origin.seen.length;
    const answer = await raw(proxies[proxy], { ...request, headers: [...as(issuer), ...headers] });
    return { answer, got: origin.seen.slice(before) };
  }

  for (const proxy of NAMES) {
    for (const [name, attack] of Object.entries(ATTACKS)) {
      test(`${proxy}: ${name}`, async (t) => {
        if (gateways.proxies[proxy] === undefined) {
          t.skip(`${proxy} is not installed`);
          return;
        }
        if (attack.parser && proxy === "traefik") {
          seen[name] = { ...seen[name], [proxy]: "–" };
          return;
        }
        const { answer, got } = await attempt(proxy, attack);
        const outcome = got.length > 0 ? "passes" : String(answer.status);
        seen[name] = { ...seen[name], [proxy]: outcome };
        if (!attack.passes || (attack.passes !== true && got.length === 0)) {
          assert.deepEqual(got, [], "it reached the origin");
          assert.ok(answer.status >= 400, `it was answered with ${answer.status}`);
          const isOurs = BODIES.includes(answer.body.trim());
          assert.ok(isOurs || !/policy|NO_ROUTE|DENIED|JWT_|kind|orthrus/i.test(answer.body), answer.body);
          return;
        }
        assert.equal(answer.status, 200, answer.body);
        assert.equal(got.length, 1, "nothing else reached it");
        const [{ url, method, headers, raw: sent, bytes }] = got;
        assert.equal(url, attack.arrives ?? attack.target, "the origin gets what was decided upon");
        assert.equal(method, attack.method ?? "GET");
        assert.equal(headers.host, "app.example.com");
        assert.equal(bytes, attack.body?.length ?? 0);
        const names = sent.filter((_, index) => index % 2 === 0).map((header) => header.toLowerCase());
        const told = names.filter((header) => header.replaceAll("_", "-").startsWith("x-orthrus-"));
        assert.deepEqual(told.sort(), ["x-orthrus-call-id", "x-orthrus-principal", "x-orthrus-roles"]);
        assert.deepEqual(
          names.filter((header) => OVERRIDES.includes(header.replaceAll("_", "-"))),
          [],
        );
        const named = (header) =>
          sent.filter((_, index) => index % 2 === 1 && sent[index - 1].toLowerCase() === header);
        assert.deepEqual(named("x-orthrus-principal"), ["ann"]);
        assert.deepEqual(named("x-orthrus-roles"), ["user"]);
        assert.match(named("x-orthrus-call-id")[0], /^[0-9A-Z]{26}$/);
      });
    }

    test(`${proxy}: who has no token hears how to show one`, async (t) => {
      if (gateways.proxies[proxy] === undefined) {
        t.skip(`${proxy} is not installed`);
        return;
      }
      const { answer } = await attempt(proxy, ATTACKS["no token"]);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers["www-authenticate"], "Bearer");
    });
  }

  for (const proxy of NAMES) {
    test(`${proxy}: a body does not get as far as orthrus`, async (t) => {
      if (gateways.proxies[proxy] === undefined) {
        t.skip(`${proxy} is not installed`);
        return;
      }
      const before = gateways.asked();
      await attempt(proxy, ATTACKS["a body of 10 MB"]);
      const asked = gateways.asked() - before;
      assert.ok(asked > 0 && asked < 10_000, `${asked} bytes`);
    });
  }

  test("a client that sends its head slowly is let go", async () => {
    const socket = connect(gateways.ports.orthrus, "127.0.0.1");
    const started = Date.now();
    socket.write("GET /forward-auth/caddy HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => socket.write("X-A: b\r\n"), 100);
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("close", resolve).resume());
    clearInterval(drip);
    assert.ok(Date.now() - started < 10_000, `it was open for ${Date.now() - started} ms`);
    const { answer } = await attempt("traefik", ATTACKS["a token, and what it may"]);
    assert.equal(answer.status, 200, "others are served meanwhile");
  });

  test("so is one that sends nothing, or a part of what HTTP/2 begins with", async () => {
    const { orthrus, orthrusGrpc } = gateways.ports;
    const sent = [orthrus, orthrusGrpc].flatMap((port) => [
      [port, ""],
      [port, "PRI * HT"],
    ]);
    const isClosed = async ([port, text]) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("error", () => undefined);
      const closed = new Promise((resolve) => socket.once("close", () => resolve(true)).resume());
      const result = await Promise.race([closed, sleep(10_000, false)]);
      socket.destroy();
      return result;
    };
    assert.deepEqual(await Promise.all(sent.map(isClosed)), [true, true, true, true]);
  });

  test("endpoints of other proxies say nothing", async () => {
    const { issuer, ports } = gateways;
    // What Traefik says is nothing to nginx's endpoint.
    const headers = [
      ["X-Forwarded-Method", "GET"],
      ["X-Forwarded-Uri", "/profiles/ann"],
      ["X-Forwarded-Host", "a"],
      ...bearer(issuer.token()),
    ];
    const asked = (target) => raw(ports.orthrus, { target, headers });
    assert.equal((await asked("/forward-auth/traefik")).status, 200);
    assert.equal((await asked("/auth-request/nginx")).status, 403);
    assert.equal((await asked("/forward-auth/none")).status, 404);
  });

  test("when orthrus does not answer nothing passes", async () => {
    const { orthrus } = gateways;
    orthrus.pause();
    try {
      const proxies = NAMES.filter((name) => gateways.proxies[name] !== undefined);
      const answers = await Promise.all(
        proxies.map((proxy) =>
          raw(gateways.proxies[proxy], { target: "/profiles/ann", headers: bearer(gateways.issuer.token()) }),
        ),
      );
      for (const [index, { status }] of answers.entries()) {
        assert.ok(status >= 400, `${proxies[index]}: ${status}`);
        seen["orthrus does not answer"] = { ...seen["orthrus does not answer"], [proxies[index]]: String(status) };
      }
    } finally {
      orthrus.resume();
    }
  });

  test("when orthrus is down nothing passes, and when it is back all is as before", async () => {
    const { orthrus } = gateways;
    await orthrus.stop();
    for (const proxy of NAMES.filter((name) => gateways.proxies[name] !== undefined)) {
      const { answer, got } = await attempt(proxy, ATTACKS["a token, and what it may"]);
      assert.deepEqual(got, [], proxy);
      assert.ok(answer.status >= 400 || answer.status === 0, `${proxy}: ${answer.status}`);
      seen["orthrus is down"] = { ...seen["orthrus is down"], [proxy]: String(answer.status) };
    }
    await orthrus.start();
    for (const proxy of NAMES.filter((name) => gateways.proxies[name] !== undefined)) {
      const deadline = Date.now() + 15_000;
      let status;
      do {
        ({ status } = (await attempt(proxy, ATTACKS["a token, and what it may"])).answer);
      } while (status !== 200 && Date.now() < deadline);
      assert.equal(status, 200, proxy);
    }
  });

  test("what docs/gateways.md has proxies configured by is in the example", () => {
    const lines = (text) => text.split("\n").map((line) => line.trim());
    const configs = [
      ...Object.values(PROXIES).map(({ config }) => config),
      ".cerbos.yaml",
      "traefik/traefik.yaml",
      "traefik/dynamic.yaml",
    ];
    const example = new Set(
      configs.flatMap((path) => lines(readFileSync(inRoot("examples", "gateway", path), "utf8"))),
    );
    const [, text] = readFileSync(inRoot("docs", "gateways.md"), "utf8").split(/^## The proxies$/m);
    const blocks = [...text.matchAll(/^```\w+\n(.*?)^```$/gms)].flatMap(([, block]) => lines(block));
    const own = blocks.filter((line) => line !== "" && !line.startsWith("#"));
    assert.ok(own.length > 50);
    assert.deepEqual(
      own.filter((line) => !example.has(line)),
      [],
    );
  });

  test("docs/gateways.md tells what was seen", (t) => {
    if (NAMES.some((name) => gateways.proxies[name] === undefined)) {
      t.skip("not all proxies are installed");
      return;
    }
    const rows = Object.entries(seen).map(
      ([name, by]) => `| ${[name, ...NAMES.map((proxy) => by[proxy])].join(" | ")} |`,
    );
    const text = readFileSync(inRoot("docs", "gateways.md"), "utf8");
    // The whole table, so that no row of it is about what is not tried any more.
    const table = text
      .split("\n")
      .filter((line) => line.startsWith("| ") && line.split(" | ").length === NAMES.length + 1);
    assert.deepEqual(table.slice(1), rows);
  });
});
