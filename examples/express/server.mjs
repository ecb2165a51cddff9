/** Starts the application on `PORT`, and ends it when it is told to. */

import { fileURLToPath } from "node:url";
import { WorkOS } from "@workos-inc/node";
import { Orthrus } from "orthrus";
import { createApp } from "./app.mjs";

const { env } = process;

const missing = [
  "CLERK_PUBLISHABLE_KEY",
  "CLERK_SECRET_KEY",
  "CLERK_SIGN_IN_URL",
  "WORKOS_API_KEY",
  "WORKOS_CLIENT_ID",
  "WORKOS_COOKIE_PASSWORD",
  "WORKOS_REDIRECT_URI",
].filter((name) => !env[name]);
if (missing.length > 0) {
  console.error(`The environment lacks ${missing.join(", ")}: see .env.example.`);
  process.exit(1);
}

const engine = await Orthrus.open(fileURLToPath(new URL("../../policies", import.meta.url)));
const workos = new WorkOS(env.WORKOS_API_KEY, {
  clientId: env.WORKOS_CLIENT_ID,
  apiHostname: env.WORKOS_API_HOSTNAME,
  port: env.WORKOS_API_PORT && Number(env.WORKOS_API_PORT),
  https: env.WORKOS_API_HTTPS !== "false",
});
const app = createApp({
  engine,
  workos,
  cookiePassword: env.WORKOS_COOKIE_PASSWORD,
  redirectUri: env.WORKOS_REDIRECT_URI,
  clerkSignInUrl: env.CLERK_SIGN_IN_URL,
});

const server = app.listen(Number(env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log(`listening on port ${server.address().port}`);
});

/** Refuses new connections, and lets what is being answered be answered. Then nothing keeps the process. */
function shutDown(signal) {
  console.log(`${signal}: no new requests`);
  // A connection that is kept alive after its last answer would hold the server up.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  // Who is not done by then is cut off.
  const limit = setTimeout(() => server.closeAllConnections(), 10_000);
  server.close(() => {
    clearInterval(sweep);
    clearTimeout(limit);
    engine.close();
    console.log("closed");
  });
}
process.once("SIGTERM", shutDown).once("SIGINT", shutDown);
