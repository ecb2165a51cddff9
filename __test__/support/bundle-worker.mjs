/** A Worker that has sources and a refresher, and no engine: what it installs is text. Its modules are those of dist/esm. */

import { kvBundle, r2Bundle } from "./bundles/cloudflare.mjs";
import { fetchBundle } from "./bundles/fetch.mjs";
import { BundleRefresher } from "./bundles/refresher.mjs";
import { loadVersion } from "./bundles/version.mjs";

const text = (bytes) => new TextDecoder().decode(bytes);
const told = [];
let refresher;

/** The refresher of this isolate, on a server. */
function refresherOn(url) {
  refresher ??= new BundleRefresher(
    {
      source: fetchBundle(url),
      install: (bytes) => ({ digest: text(bytes), keyId: undefined }),
      every: 20,
      timer: false,
      onRefresh: ({ outcome }) => told.push(outcome),
      clock: Date.now,
    },
    { digest: "old", keyId: undefined },
    { etag: undefined, fingerprint: undefined },
  );
  return refresher;
}

/** What a source brings, and what it says of the same once more. */
async function loadTwice(source) {
  const { bytes, mark } = await loadVersion(source);
  const again = await source.load({ digest: "x", etag: mark.etag });
  return [text(bytes), again === "unchanged" ? again : text(again.bytes)];
}

const ROUTES = {
  "/kv": (env) => loadTwice(kvBundle(env.POLICIES, "policies.orb")),
  "/r2": (env) => loadTwice(r2Bundle(env.BUCKET, "policies.orb")),
  "/fetch": (_env, _ctx, { url, ...limits }) =>
    loadTwice(fetchBundle(url, { ...limits, maxBytes: Number(limits.maxBytes ?? 1000) })),
  "/digest": (_env, ctx, { url }) => {
    const refresher = refresherOn(url);
    ctx.waitUntil(refresher.refreshIfStale());
    return [refresher.state.digest, told];
  },
};

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    try {
      return Response.json(await ROUTES[pathname](env, ctx, Object.fromEntries(searchParams)));
    } catch ({ code, reason, message }) {
      return Response.json({ code, reason, message }, { status: 500 });
    }
  },
};
