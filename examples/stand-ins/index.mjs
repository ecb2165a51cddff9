/** Finds the stand-ins that an application needs, by the SDKs that it depends on. */

import { startClerk } from "./clerk.mjs";
import { startWorkOS } from "./workos.mjs";

const STARTERS = { clerk: [/^@clerk\//, startClerk], workos: [/^@workos-inc\//, startWorkOS] };

/**
 * Starts them for the application with this manifest, which will answer at `appUrl`. Resolves to `{ env, close, clerk, workos }`:
 * the environment that the application takes in place of real keys, and each stand-in that it needs.
 */
export async function startStandIns(manifest, { appUrl, port }) {
  const wanted = Object.entries(STARTERS).filter(([, [sdk]]) =>
    Object.keys(manifest.dependencies).some((name) => sdk.test(name)),
  );
  const started = {};
  for (const [index, [name, [, start]]] of wanted.entries()) {
    started[name] = await start({ appUrl, port: port && port + index });
  }
  return {
    ...started,
    env: Object.assign({}, ...Object.values(started).map(({ env }) => env)),
    close: () => Promise.all(Object.values(started).map(({ close }) => close())),
  };
}
