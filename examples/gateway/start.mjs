/** Runs an identity provider, an origin, orthrus, and those of the proxies that are installed, and prints what to try. */

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeCertificates } from "./certificates.mjs";
import { startIssuer } from "./issuer.mjs";
import { startOrigin } from "./origin.mjs";
import { findProgram, PORTS, PROXIES, startProxy } from "./proxies.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const certificates = join(folder, "certificates");
makeCertificates(certificates);
const issuer = await startIssuer(PORTS.issuer);
await startOrigin(PORTS.origin);
// By itself, and not by a shell or npx, which would end at a signal and leave it behind.
const command = [join(folder, "node_modules/orthrus/bin/orthrus.js"), "server", "--log-format", "text"];
const orthrus = spawn(process.execPath, command, { cwd: folder, stdio: "inherit" });
const started = [];
orthrus.once("exit", async (code) => {
  await Promise.all(started.map(({ stop }) => stop()));
  process.exit(code ?? 1);
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => orthrus.kill("SIGTERM"));
}
await until(() => fetch(`http://127.0.0.1:${PORTS.orthrus}/_cerbos/health`).then(({ ok }) => ok));

for (const [name, { program, port, tls }] of Object.entries(PROXIES)) {
  if (findProgram(program) === undefined) {
    console.log(`${name}: ${program} is not installed`);
  } else {
    started.push(await startProxy(name, certificates));
    console.log(`${name}: http://127.0.0.1:${port}, https://localhost:${tls}`);
  }
}

const tokens = {
  ann: issuer.token({ sub: "ann", roles: ["user"] }),
  root: issuer.token({ sub: "root", roles: ["admin"] }),
};
const { port, tls } = PROXIES.caddy;
const text = `${Object.entries(tokens)
  .map(([name, token]) => `${name}:\n  ${token}`)
  .join("\n\n")}

Try: curl -H "authorization: Bearer TOKEN" http://127.0.0.1:${port}/profiles/ann
     curl -H "authorization: Bearer TOKEN" http://127.0.0.1:${port}/admin
     curl --cacert ${certificates}/ca.crt --cert ${certificates}/billing.crt --key ${certificates}/billing.key https://localhost:${tls}/files/a
`;
console.log(`\n${text}`);
// The same for a browser.
createServer((_, response) => response.end(text)).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");

async function until(is) {
  while (!(await is().catch(() => false))) {
    await sleep(50);
  }
}
