/** Requests that pretend to be Ada at an application with WorkOS: by sessions that WorkOS has not signed so, and by headers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkOS } from "@workos-inc/node";
import { createKey } from "../../../examples/stand-ins/keys.mjs";
import { Visitor } from "./visitor.mjs";

const KEY_ID = "sso_oidc_key_stand_in";
const past = Math.floor(Date.now() / 1000) - 3600;
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** Claims of a token that has expired. */
export const expired = { exp: past, iat: past - 60, nbf: past - 60 };

/** Sessions like Ada's, sealed with the right password: [what is wrong with it, the access token, expected status]. */
const tokens = [
  ["signed by an unknown key", (good) => createKey("other").sign(claimsOf(good))],
  ["signed by another key with the id of the right one", (good) => createKey(KEY_ID).sign(claimsOf(good))],
  ["somebody else's", (_, { accessToken }) => accessToken("lea")],
  ["expired, and the refresh token has been used", (_, { accessToken }) => accessToken("ada", expired)],
  ["no organization selected", (_, { accessToken }) => accessToken("ada", { org_id: undefined }), 403],
];

/** Headers in which an SDK hands a session on; a client may send them as well. */
const spoofed = (cookie) => ({ "x-workos-middleware": "true", "x-workos-session": cookie, "x-user-id": "user_ada" });

/** The session in a cookie with another access token, and another refresh token if one is given, sealed again. */
export async function reseal(app, cookie, accessToken, refreshToken) {
  const { userManagement } = new WorkOS("sk_test_unused", { clientId: "client_unused" });
  const cookiePassword = app.env.WORKOS_COOKIE_PASSWORD;
  const session = await userManagement.getSessionFromCookie({ sessionData: cookie, cookiePassword });
  const forged = { ...session, accessToken: accessToken(session.accessToken), ...(refreshToken && { refreshToken }) };
  return userManagement.sealSessionDataFromAuthenticationResponse({ authenticationResponse: forged, cookiePassword });
}

/**
 * The tests of them; `context` is that of `describeWorkspace`. `paths` show the handbook to people who are signed in;
 * `spoofable` are for such people, too.
 */
export function workosAttacks(context, { paths, spoofable }) {
  const forge = (accessToken) =>
    reseal(context.app, context.cookies.ada["wos-session"], (good) => accessToken(good, context.app.workos), "used");
  const request = (cookie, path) => new Visitor(context.app.url, { "wos-session": cookie }).request(path);

  test("the forging itself works", async () => {
    const cookie = await forge((good) => good);
    for (const path of paths) assert.equal((await request(cookie, path)).status, 200);
  });

  for (const [what, accessToken, status = 401] of tokens) {
    test(`by a sealed session whose token is ${what}`, async () => {
      const cookie = await forge(accessToken);
      for (const path of paths) assert.equal((await request(cookie, path)).status, status);
    });
  }

  test("by a cookie that nobody has sealed", async () => {
    for (const path of paths) assert.equal((await request("Fe26.2*1*x", path)).status, 401);
  });

  for (const path of spoofable) {
    test(`by headers of WorkOS: ${path}`, async () => {
      const headers = spoofed(context.cookies.ada["wos-session"]);
      assert.equal((await new Visitor(context.app.url).request(path, { headers })).status, 401);
    });
  }
}
