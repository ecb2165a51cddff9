/** What stands in for an identity provider: a key that signs tokens, and an API on the loopback interface. */

import { createServer } from "node:http";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";

/** A key of our own. `sign` makes a token that is good for an hour unless the claims say otherwise. */
export async function signingKey(kid) {
  // Clerk's SDK reads RSA keys of 2048 bits alone.
  const { privateKey, publicKey } = await generateKeyPair("RS256", { modulusLength: 2048, extractable: true });
  return {
    pem: await exportSPKI(publicKey),
    jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" },
    sign(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iat: now, nbf: now, exp: now + 3600, ...claims })
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT", ...header })
        .sign(privateKey);
    },
  };
}

/**
 * Serves JSON on a free port of the loopback interface. `answer(method, path, body)` returns what to say; `undefined` is said
 * with status 404. Resolves to `{ port, url, close }`. The server keeps no process alive.
 */
export function serveJson(answer) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const found = answer(request.method, new URL(request.url, "http://localhost").pathname, body);
    response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? { errors: [{ code: "not_found", message: "not found" }] }));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.unref();
      const close = () =>
        new Promise((done) => {
          server.close(done);
          server.closeAllConnections();
        });
      resolve({ port, url: `http://127.0.0.1:${port}`, close });
    });
  });
}
