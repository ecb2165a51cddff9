/** `examples/express`: Express with the real SDKs of Clerk and WorkOS, on keys of our own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { machines, people } from "../../examples/stand-ins/people.mjs";
import { freePort } from "../../scripts/lib/examples.mjs";
import { openExample, skip } from "./support/app.mjs";
import { clerkAttacks } from "./support/clerk-attacks.mjs";
import { badRequests, machineCalls, organizationCalls } from "./support/express-calls.mjs";
import { signInAtWorkOS, wayBackFromWorkOS } from "./support/sign-in.mjs";
import { Visitor } from "./support/visitor.mjs";
import { expired, reseal, workosAttacks } from "./support/workos-attacks.mjs";
import { calls, refusals } from "./support/workspace.mjs";

const HANDBOOK = "/api/documents/handbook";
const SSO_HANDBOOK = "/sso/api/documents/handbook";

describe("express", { skip }, () => {
  /** The running example, and the cookies of people who have signed in at WorkOS. */
  const context = { app: undefined, cookies: { nobody: {} } };
  before(async () => {
    context.app = await openExample("express");
    for (const person of Object.keys(people)) {
      context.cookies[person] = await signInAtWorkOS(context.app, person, "/sso/sign-in");
    }
  });
  after(() => context.app?.close());

  const bearer = (token) => ({ authorization: `Bearer ${token}` });

  /** How people are recognized: [name, where the API is, the cookies and headers of a person]. */
  const ways = [
    ["Clerk, bearer token", "/api", (person) => ({ headers: bearer(context.app.clerk.sessionToken(person)) })],
    ["Clerk, cookies", "/api", (person) => ({ cookies: context.app.clerk.cookiesOf(person) })],
    ["WorkOS, sealed session", "/sso/api", (person) => ({ cookies: context.cookies[person] })],
  ];

  /** Calls the application. A `body` is sent as JSON, and a text as it is. */
  async function call(method, path, { cookies, headers, body } = {}) {
    const json = body !== undefined && { "content-type": "application/json" };
    const response = await new Visitor(context.app.url, cookies).request(path, {
      method,
      headers: { accept: "application/json", ...json, ...headers },
      body: typeof body === "object" ? JSON.stringify(body) : body,
    });
    const text = await response.text();
    return { response, status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  for (const [way, api, identify] of ways) {
    const as = (person, method, path, body) =>
      call(method, path, { ...(person === "nobody" ? {} : identify(person)), body });

    describe(way, () => {
      for (const { person, method, path, status } of calls) {
        test(`${person}: ${method} ${path} is ${status}`, async () => {
          const answer = await as(person, method, path.replace("/api", api));
          assert.equal(answer.status, status);
          if (status === 200) assert.equal(answer.body.id, path.split("/").at(-1));
          else assert.deepEqual(answer.body, refusals[status]);
        });
      }

      for (const [person, method, path, status, expected] of organizationCalls) {
        test(`${person}: ${method} ${path} is ${status}`, async () => {
          const { body, ...answer } = await as(person, method, api + path);
          assert.equal(answer.status, status, JSON.stringify(body));
          if (status !== 200) assert.deepEqual(body, refusals[status]);
          else if (!Array.isArray(body)) assert.deepEqual(body.allowedActions, expected);
          else assert.deepEqual(Object.fromEntries(body.map((row) => [row.id, row.allowedActions])), expected);
        });
      }

      test("why a request was refused is for the log", async () => {
        const { body, response } = await as("max", "GET", `${api}/documents/salaries`);
        assert.deepEqual(body, { error: "forbidden" });
        assert.match(context.app.output(), /refused: user_max view document\/salaries: the policies do not allow it/);
        assert.equal(response.headers.get("x-powered-by"), null);
      });
    });
  }

  describe("machines", () => {
    for (const [who, method, path, status, body] of machineCalls) {
      test(`${who}: ${method} ${path} is ${status}`, async () => {
        const secret = machines[who]?.secret ?? who;
        const answer = await call(method, path, { headers: bearer(secret), body });
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        if (status in refusals) assert.deepEqual(answer.body, refusals[status]);
      });
    }
  });

  describe("a credential is good at its own door alone", () => {
    const atClerk = (person) => context.app.clerk.cookiesOf(person);
    const atWorkOS = (person) => context.cookies[person];

    /** [what, path, cookies, status] */
    const doors = [
      ["Clerk's cookies at the door for WorkOS", SSO_HANDBOOK, () => atClerk("ada"), 401],
      ["WorkOS' cookie at the door for Clerk", HANDBOOK, () => atWorkOS("ada"), 401],
      ["Clerk's cookies at the door for machines", "/machines/documents/handbook", () => atClerk("ada"), 401],
      ["both, and Clerk's is of Globex", HANDBOOK, () => ({ ...atWorkOS("ada"), ...atClerk("lea") }), 403],
      [
        "both, and Clerk's is of Globex, at the other",
        SSO_HANDBOOK,
        () => ({ ...atWorkOS("ada"), ...atClerk("lea") }),
        200,
      ],
    ];
    for (const [what, path, cookies, status] of doors) {
      test(`${what}: ${status}`, async () => {
        assert.equal((await call("GET", path, { cookies: cookies() })).status, status);
      });
    }
  });

  describe("refuses who pretends to be somebody", () => {
    clerkAttacks(context, [HANDBOOK, "/machines/documents/handbook"]);
    workosAttacks(context, { paths: [SSO_HANDBOOK], spoofable: [SSO_HANDBOOK, HANDBOOK] });

    test("by a token that Clerk has made for another site", async () => {
      const token = context.app.clerk.sessionToken("ada", { azp: "https://elsewhere.example" });
      assert.equal((await call("GET", HANDBOOK, { headers: bearer(token) })).status, 401);
    });

    /** Ways back from WorkOS: [what, the link made of a good one, whether it is opened where the way began]. */
    const links = [
      ["that began in another browser", (good) => good, false],
      ["whose state is another", (good) => good.replace(/state=[^&]*/, "state=x"), true],
      ["that began in another browser, without state", (good) => good.replace(/&state=[^&]*/, ""), false],
      ["without state", (good) => good.replace(/&state=[^&]*/, ""), true],
      ["without code", (good) => good.replace(/code=[^&]*&/, ""), true],
      ["with two codes", (good) => `${good}&code=x`, true],
      ["with a code that WorkOS does not know", (good) => good.replace(/code=[^&]*/, "code=x"), true],
    ];
    for (const [what, change, isSame] of links) {
      test(`by a way back from WorkOS ${what}`, async () => {
        const began = new Visitor(context.app.url);
        const link = change(await wayBackFromWorkOS(began, "ada", "/sso/sign-in"));
        const visitor = isSame ? began : new Visitor(context.app.url);
        assert.equal((await visitor.request(link)).status, 400);
        assert.equal(visitor.cookies["wos-session"], undefined);
      });
    }
  });

  describe("requests that cannot be answered", () => {
    for (const [what, method, path, options, status] of badRequests) {
      test(`${what}: ${status}`, async () => {
        const headers = { ...bearer(context.app.clerk.sessionToken("max")), ...options?.headers };
        const answer = await call(method, path, { ...options, headers });
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        assert.deepEqual(Object.keys(answer.body), ["error"]);
      });
    }
  });

  describe("sessions of WorkOS", () => {
    test("one whose token has expired is refreshed", async () => {
      const { app } = context;
      const { "wos-session": cookie } = await signInAtWorkOS(app, "max", "/sso/sign-in");
      const old = await reseal(app, cookie, () => app.workos.accessToken("max", expired));
      const visitor = new Visitor(app.url, { "wos-session": old });
      assert.equal((await visitor.request(SSO_HANDBOOK)).status, 200);
      assert.notEqual(visitor.cookies["wos-session"], old);
      assert.equal((await visitor.request(SSO_HANDBOOK)).status, 200);
      // The refresh token in the old one has been used.
      assert.equal((await new Visitor(app.url, { "wos-session": old }).request(SSO_HANDBOOK)).status, 401);
    });

    test("signing out ends it here, and sends to WorkOS to end it there", async () => {
      const visitor = new Visitor(context.app.url, await signInAtWorkOS(context.app, "max", "/sso/sign-in"));
      const response = await visitor.request("/sso/sign-out", { method: "POST" });
      assert.equal(response.status, 303);
      assert.match(
        response.headers.get("location"),
        /\/user_management\/sessions\/logout\?session_id=session_user_max/,
      );
      assert.equal(visitor.cookies["wos-session"], undefined);
      assert.equal((await new Visitor(context.app.url).request("/sso/sign-out", { method: "POST" })).status, 303);
    });
  });

  test("the owner creates and renames, the administrator publishes, deletes, invites and pays", async () => {
    const as = (person, ...args) => {
      const [method, path, body] = args;
      return call(method, path, { headers: bearer(context.app.clerk.sessionToken(person)), body });
    };
    const steps = [
      ["max", "PATCH", "/api/documents/roadmap", 200, { title: "Roadmap 2028" }],
      ["ada", "PATCH", "/api/documents/roadmap", 403, { title: "Ours" }],
      ["max", "POST", "/api/documents/roadmap/publication", 403],
      ["ada", "POST", "/api/documents/roadmap/publication", 200],
      // Published: nobody edits or publishes it any more.
      ["max", "PATCH", "/api/documents/roadmap", 403, { title: "Too late" }],
      ["ada", "POST", "/api/documents/roadmap/publication", 403],
      ["ada", "DELETE", "/api/documents/roadmap", 204],
      ["ada", "GET", "/api/documents/roadmap", 403],
      ["ada", "POST", "/api/organizations/org_acme/invitations", 201],
      ["ada", "POST", "/api/organizations/org_acme/billing/payments", 201],
    ];
    for (const [person, method, path, status, body] of steps) {
      const answer = await as(person, method, path, body);
      assert.equal(answer.status, status, `${person} ${method} ${path}: ${JSON.stringify(answer.body)}`);
    }
    const { body: account } = await as("ada", "GET", "/api/organizations/org_acme/billing");
    assert.equal(account.balance, 0);

    const draft = { title: "Notes", ownerId: "user_ada", status: "published" };
    const created = await as("max", "POST", "/api/organizations/org_acme/documents", draft);
    assert.equal(created.status, 201);
    const { body: notes } = await as("max", "GET", created.response.headers.get("location"));
    assert.deepEqual([notes.title, notes.ownerId, notes.status], ["Notes", "user_max", "draft"]);
    assert.equal((await as("max", "POST", "/api/organizations/org_globex/documents", draft)).status, 403);
  });

  test("told to end, it answers what it has begun to answer, and no more", async () => {
    const { app } = context;
    const port = await freePort();
    const child = spawn(process.execPath, ["server.mjs"], {
      cwd: app.folder,
      env: { ...process.env, ...app.env, PORT: String(port) },
    });
    const lines = [];
    child.stdout.setEncoding("utf8").on("data", (text) => lines.push(text));
    const ended = once(child, "exit");
    try {
      await once(child.stdout, "data");
      const body = JSON.stringify({ title: "Begun before the end" });
      const begun = request({
        port,
        method: "PATCH",
        path: "/api/documents/roadmap",
        headers: {
          ...bearer(app.clerk.sessionToken("max")),
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          expect: "100-continue",
        },
      });
      const answered = once(begun, "response");
      // The server says so when it has the head of the request.
      begun.flushHeaders();
      await once(begun, "continue");
      child.kill("SIGTERM");
      while (!lines.join("").includes("no new requests")) await once(child.stdout, "data");
      await assert.rejects(fetch(`http://localhost:${port}/`));
      begun.end(body);
      const [response] = await answered;
      assert.equal(response.statusCode, 200);
      response.resume();
      assert.deepEqual(await ended, [0, null]);
      assert.match(lines.join(""), /closed\n$/);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
