/** Stands in for an identity provider: publishes a key, and issues tokens by it. For trying and tests. */

import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

export const AUDIENCE = "https://app.example.com";

/** Starts one. Resolves to `{ url, token, close }`. */
export async function startIssuer(port) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "key-1", alg: "RS256", use: "sig" };
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://localhost:${server.address().port}`;
  return {
    url,
    port: server.address().port,
    /** A token with these claims beside the usual ones. `key` signs in place of the one that is published. */
    token(claims = {}, header = {}, key = privateKey) {
      const now = Math.floor(Date.now() / 1000);
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const all = { iss: url, aud: AUDIENCE, sub: "ann", roles: ["user"], iat: now, exp: now + 3600, ...claims };
      const message = `${part({ alg: "RS256", kid: "key-1", typ: "JWT", ...header })}.${part(all)}`;
      return `${message}.${sign("sha256", Buffer.from(message), key).toString("base64url")}`;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
