/** May they do it? */

import { WorkerEntrypoint } from "cloudflare:workers";
import { Orthrus } from "orthrus";
import { kvBundle, loadOnce } from "orthrus/bundles";
import { authzWorker } from "orthrus/workers";
import routes from "../routes.json";

const worker = authzWorker((env) => ({
  engine: loadOnce(() =>
    Orthrus.fromBundle(kvBundle(env.POLICIES, "policies.orb"), {
      trustedKeys: [{ kty: "OKP", crv: "Ed25519", x: env.POLICIES_KEY }],
      refresh: { every: "60s" },
    }),
  ),
  routes,
  origin: env.ORIGIN,
  // The origin is bound to this worker alone, and believes what it says.
  headers: ({ identity }) => ({ "x-user-id": encodeURIComponent(identity.principal.id) }),
  analytics: env.ANALYTICS,
}));

export default class extends WorkerEntrypoint {
  /** Called by the auth-worker. */
  handle(request, identity) {
    return worker.handle(request, identity, this.env, this.ctx);
  }

  /** Whoever comes by HTTP does not come from the auth-worker. */
  fetch(request) {
    return worker.fetch(request, this.env, this.ctx);
  }
}
