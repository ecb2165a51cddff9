/** Who makes a request, and may they? */

import { Orthrus } from "orthrus";
import { kvBundle, loadOnce } from "orthrus/bundles";
import { KVRevocationList, singleWorker } from "orthrus/workers";
import routes from "../routes.json";

export default singleWorker((env) => ({
  token: {
    jwksUrl: env.AUTH_JWKS_URL,
    issuer: env.AUTH_ISSUER,
    audience: env.AUTH_AUDIENCE,
    kv: env.IDENTITY,
    revocation: new KVRevocationList(env.IDENTITY),
  },
  engine: loadOnce(() =>
    Orthrus.fromBundle(kvBundle(env.POLICIES, "policies.orb"), {
      trustedKeys: [{ kty: "OKP", crv: "Ed25519", x: env.POLICIES_KEY }],
      refresh: { every: "60s" },
    }),
  ),
  routes,
  origin: env.ORIGIN,
}));
