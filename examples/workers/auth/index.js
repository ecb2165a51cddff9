/** Who makes a request? */

import { authWorker, KVRevocationList } from "orthrus/workers";

export default authWorker((env) => ({
  token: {
    jwksUrl: env.AUTH_JWKS_URL,
    issuer: env.AUTH_ISSUER,
    audience: env.AUTH_AUDIENCE,
    kv: env.IDENTITY,
    revocation: new KVRevocationList(env.IDENTITY),
  },
  authz: env.AUTHZ_WORKER,
  // Bindings for rate limits and counters are there where the account has them.
  rateLimit: env.RATE_LIMITER,
  analytics: env.ANALYTICS,
}));
