/**
 * Builds the package and an example, and starts it: `npm run example next-clerk`.
 *
 * The keys of the example's identity provider come from its `.env.local`. Without that file the example runs on stand-ins
 * (`examples/stand-ins`), with keys of their own.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { startStandIns } from "../examples/stand-ins/index.mjs";
import { build } from "./build.mjs";
import {
  buildExample,
  exampleFolder,
  exampleManifest,
  exampleNames,
  installExample,
  startExample,
} from "./lib/examples.mjs";

const PORT = Number(process.env.PORT ?? 3000);

async function main([name]) {
  if (!exampleNames().includes(name)) {
    throw new Error(`usage: npm run example NAME, where NAME is one of ${exampleNames().join(", ")}`);
  }
  await build();
  await installExample(name);
  const keys = join(exampleFolder(name), ".env.local");
  const standIns = existsSync(keys)
    ? undefined
    : await startStandIns(exampleManifest(name), { appUrl: `http://localhost:${PORT}`, port: PORT + 1 });
  // Next.js reads the file itself; other frameworks do not, where they run what they have built.
  if (standIns === undefined) process.loadEnvFile(keys);
  console.log(standIns === undefined ? `Keys: ${keys}` : `Keys: of stand-ins, because there is no ${keys}`);
  await buildExample(name, standIns?.env);
  const app = await startExample(name, { port: PORT, env: standIns?.env, show: true });
  console.log(`\n${name} answers at ${app.url}; Ctrl-C ends it.`);
  process.once("SIGINT", app.stop).once("SIGTERM", app.stop);
  process.exitCode = await app.ended;
  await standIns?.close();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
