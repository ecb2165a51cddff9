/** Stands in for an identity provider: publishes a key, and issues tokens by it. For trying and tests. */

import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const AUDIENCE = "https://api.example.com";

/** Starts one. Resolves to `{ url, token, close, ... }`; `jwks` may be replaced by any other answer. */
export async function startIssuer(port = 8790) {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "RS256", use: "sig" };
  const issuer = { jwk, requests: 0, answer: undefined };
  const server = createServer((request, response) => {
    issuer.requests++;
    if (issuer.answer !== undefined) {
      issuer.answer(request, response);
      return;
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  issuer.url = `http://localhost:${server.address().port}`;
  issuer.jwksUrl = `${issuer.url}/jwks.json`;
  /** A token with these claims beside the usual ones; one that is `undefined` is left out. */
  issuer.token = (claims = {}, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer.url, aud: AUDIENCE, sub: "ann", roles: ["user"], iat: now, exp: now + 300 };
    const all = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
    return new SignJWT(all).setProtectedHeader({ alg: "RS256", kid: "key-1", ...header }).sign(privateKey);
  };
  issuer.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return issuer;
}
