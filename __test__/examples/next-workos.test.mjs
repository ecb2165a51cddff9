/** `examples/next-workos`: Next.js with the real AuthKit of WorkOS, on an API that we play, with a key of our own. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createKey } from "../../examples/stand-ins/keys.mjs";
import { describeWorkspace } from "./support/suite.mjs";
import { Visitor } from "./support/visitor.mjs";

const PATH = "/api/documents/handbook";
const KEY_ID = "sso_oidc_key_stand_in";
const past = Math.floor(Date.now() / 1000) - 3600;
const expired = { exp: past, iat: past - 60, nbf: past - 60 };
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** Sessions like Ada's, sealed with the right password: [what is wrong with it, the access token, expected status]. */
const tokens = [
  ["signed by an unknown key", (good) => createKey("other").sign(claimsOf(good))],
  ["signed by another key with the id of the right one", (good) => createKey(KEY_ID).sign(claimsOf(good))],
  ["somebody else's", (_, { accessToken }) => accessToken("lea")],
  ["expired, and the refresh token has been used", (_, { accessToken }) => accessToken("ada", expired)],
  ["no organization selected", (_, { accessToken }) => accessToken("ada", { org_id: undefined }), 403],
];

/** Headers in which AuthKit's proxy hands a session to the pages; a client may send them as well. */
const spoofed = (cookie) => ({ "x-workos-middleware": "true", "x-workos-session": cookie, "x-user-id": "user_ada" });

describeWorkspace("next-workos", (context) => {
  /** The session in Ada's cookie with another access token, sealed by what AuthKit itself seals with. */
  async function forge(accessToken) {
    const { folder, env } = context.app;
    const path = createRequire(join(folder, "package.json")).resolve("iron-session");
    const { sealData, unsealData } = await import(pathToFileURL(path));
    const password = env.WORKOS_COOKIE_PASSWORD;
    const session = await unsealData(context.cookies.ada["wos-session"], { password });
    const good = session.accessToken;
    const forged = { ...session, refreshToken: "used", accessToken: accessToken(good, context.app.workos) };
    return sealData(forged, { password, ttl: 0 });
  }
  const request = (cookie, path = PATH) => new Visitor(context.app.url, { "wos-session": cookie }).request(path);

  test("the forging itself works", async () => {
    assert.equal((await request(await forge((good) => good))).status, 200);
  });

  for (const [what, accessToken, status = 401] of tokens) {
    test(`by a sealed session whose token is ${what}`, async () => {
      const cookie = await forge(accessToken);
      assert.equal((await request(cookie)).status, status);
      assert.equal((await request(cookie, "/documents/handbook")).status, status);
    });
  }

  test("by a cookie that nobody has sealed", async () => {
    assert.equal((await request("Fe26.2*1*x")).status, 401);
  });

  for (const path of ["/documents", PATH]) {
    test(`by headers: ${path}`, async () => {
      const headers = spoofed(context.cookies.ada["wos-session"]);
      assert.equal((await new Visitor(context.app.url).request(path, { headers })).status, 401);
    });
  }
});
