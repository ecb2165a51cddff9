import type { Orthrus } from "../engine/orthrus.js";

/**
 * An engine that is loaded at the first use and kept, for runtimes in which requests must not wait for each other, as Cloudflare
 * Workers: until there is one, each request loads for itself, and the first that succeeds is kept. A failure is the caller's alone;
 * the next caller tries again.
 *
 * ```js
 * const policies = loadOnce(() => Orthrus.fromBundle(kvBundle(env.POLICIES, "policies.orb"), { trustedKeys }));
 * const engine = await policies();
 * ```
 *
 * What it resolves to is everybody's: do not close it.
 */
export function loadOnce<Engine extends Pick<Orthrus, "close">>(load: () => Promise<Engine>): () => Promise<Engine> {
  let kept: Engine | undefined;
  return async () => {
    if (kept !== undefined) {
      return kept;
    }
    const loaded = await load();
    if (kept === undefined) {
      kept = loaded;
    } else {
      loaded.close();
    }
    return kept;
  };
}
