/** Runs an identity provider, an origin, orthrus, and those of the proxies that are installed, and prints what to try. */

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
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
const orthrus = spawn("orthrus", ["server", "--log-format", "text"], { cwd: folder, stdio: "inherit", shell: true });
orthrus.once("exit", (code) => process.exit(code ?? 1));

const started = [];
for (const [name, { program, port, tls }] of Object.entries(PROXIES)) {
  if (findProgram(program) === undefined) {
    console.log(`${name}: ${program} is not installed`);
  } else {
    started.push(await startProxy(name, certificates));
    console.log(`${name}: http://127.0.0.1:${port}, https://localhost:${tls}`);
  }
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all(started.map(({ stop }) => stop()));
    orthrus.kill("SIGTERM");
  });
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
