/** An application in Hono: the same tokens and policies, and a guard on each route. */

import { Hono } from "hono";
import { Orthrus } from "orthrus";
import { kvBundle, loadOnce } from "orthrus/bundles";
import { createAuthorize } from "orthrus/hono";
import { KVRevocationList, principalFromClaims, TokenVerifier } from "orthrus/workers";

/** What an isolate keeps: made at the first request, when the bindings are known. */
let kept;
function of(env) {
  kept ??= {
    engine: loadOnce(() =>
      Orthrus.fromBundle(kvBundle(env.POLICIES, "policies.orb"), {
        trustedKeys: [{ kty: "OKP", crv: "Ed25519", x: env.POLICIES_KEY }],
      }),
    ),
    verifier: new TokenVerifier({
      jwksUrl: env.AUTH_JWKS_URL,
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE,
      kv: env.IDENTITY,
      revocation: new KVRevocationList(env.IDENTITY),
    }),
  };
  return kept;
}

async function principal(c) {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  return token === undefined ? null : principalFromClaims(await of(c.env).verifier.verify(token));
}

const authorize = (c, question) => createAuthorize({ engine: of(c.env).engine, principal })(question);
const guard = (question) => (c, next) => authorize(c, question)(c, next);

const app = new Hono();

app.get(
  "/profile/:id",
  guard({ resource: (c) => ({ kind: "profile", id: c.req.param("id") }), action: "view", also: ["update"] }),
  (c) => c.json({ id: c.req.param("id"), mayUpdate: c.var.authz.isAllowed("update") }),
);
app.get("/admin", guard({ resource: { kind: "admin", id: "/admin" }, action: "access" }), (c) =>
  c.json({ admin: true }),
);

export default app;
