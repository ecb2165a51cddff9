/** Requests that pretend to be Ada at an application with Clerk: by tokens that Clerk has not signed so, and by headers. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Visitor } from "./visitor.mjs";

const PATH = "/api/documents/handbook";
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const past = Math.floor(Date.now() / 1000) - 3600;

/** Tokens that look like Ada's: [what is wrong with it, how it is made from a good one, expected status]. */
const tokens = [
  ["no signature, alg none", (good) => `${encode({ alg: "none", typ: "JWT" })}.${encode(claimsOf(good))}.`],
  [
    "HS256 by the public key",
    (good, { env }) => {
      const content = `${encode({ alg: "HS256", kid: "ins_stand_in", typ: "JWT" })}.${encode(claimsOf(good))}`;
      return `${content}.${createHmac("sha256", env.CLERK_JWT_KEY).update(content).digest("base64url")}`;
    },
  ],
  [
    "other claims under the signature",
    (good) => good.replace(/\.[^.]+\./, `.${encode({ ...claimsOf(good), sub: "user_eve" })}.`),
  ],
  ["expired", (_, { clerk }) => clerk.sessionToken("ada", { exp: past, iat: past - 60, nbf: past - 60 })],
  ["not yet valid", (_, { clerk }) => clerk.sessionToken("ada", { nbf: past + 7200 })],
  ["a pending session", (_, { clerk }) => clerk.sessionToken("ada", { sts: "pending" })],
  ["no token at all", () => "x"],
  ["no organization selected", (_, { clerk }) => clerk.sessionToken("ada", { o: undefined }), 403],
];

/** Headers that Clerk's middleware hands to the pages; a client may send them as well. */
const spoofed = {
  "x-clerk-auth-status": "signed-in",
  "x-clerk-auth-token": "SESSION",
  "x-clerk-auth-signature": "0",
  "x-user-id": "user_ada",
};

/** The tests of them; `context` is that of `describeWorkspace`, and `paths` are for people who are signed in. */
export function clerkAttacks(context, paths = ["/documents", PATH]) {
  for (const [what, forge, status = 401] of tokens) {
    test(`by a token: ${what}`, async () => {
      const good = context.app.clerk.sessionToken("ada");
      const request = (token) =>
        new Visitor(context.app.url).request(PATH, {
          headers: { accept: "application/json", authorization: `Bearer ${token}` },
        });
      assert.equal((await request(good)).status, 200);
      assert.equal((await request(forge(good, context.app))).status, status);
    });
  }

  for (const path of paths) {
    test(`by headers: ${path}`, async () => {
      const headers = { ...spoofed, "x-clerk-auth-token": context.app.clerk.sessionToken("ada") };
      const response = await new Visitor(context.app.url).request(path, { headers });
      assert.equal(response.status, 401);
    });
  }
}
