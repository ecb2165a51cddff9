/** An example as a test needs it: installed, built and started for real, with stand-ins for its identity providers. */

import { startStandIns } from "../../../examples/stand-ins/index.mjs";
import {
  buildExample,
  exampleManifest,
  freePort,
  installExample,
  startExample,
} from "../../../scripts/lib/examples.mjs";

export { skip } from "../../support/addon.mjs";

/**
 * Builds and starts an example. Resolves to `{ name, folder, url, env, output, close, clerk, workos }`: where it answers, the
 * environment that it runs in, what it has printed, and the stand-ins that it needs.
 */
export async function openExample(name) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const folder = await installExample(name);
  const standIns = await startStandIns(exampleManifest(name), { appUrl: url });
  const env = { ...standIns.env, NEXT_TELEMETRY_DISABLED: "1" };
  try {
    const lines = [];
    // What a build prints is of interest when it fails.
    await buildExample(name, env, { quiet: true, onLine: (line) => lines.push(line) }).catch((error) => {
      throw new Error(`${error.message}\n${lines.join("\n")}`);
    });
    const { output, stop } = await startExample(name, { port, env });
    const close = async () => {
      await stop();
      await standIns.close();
    };
    return { ...standIns, name, folder, url, env, output, close };
  } catch (error) {
    await standIns.close();
    throw error;
  }
}
