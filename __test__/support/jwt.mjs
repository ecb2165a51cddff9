/** Keys made for the test, tokens signed by `jose`, tokens that no library would sign, and servers of JWK sets. */

import { createHmac, createSign } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

/** A key pair: the private half to sign by, the public one as a JWK and in PEM. */
export async function keyPair(alg, kid, members = {}) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, ...members };
  return { alg, kid, privateKey, jwk, pem: await exportSPKI(publicKey) };
}

/** A good token, with some claims and members of the header replaced; those that are `undefined` are left out. */
export function sign(key, claims = {}, header = {}) {
  const all = { sub: "ann", iss: "https://issuer.test", aud: "api", iat: now(), exp: now() + 60, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}

export const base64url = (text) => Buffer.from(text).toString("base64url");

/** A token of any texts as header and payload, signed RS256, or as `how` says. */
export function forge(header, payload, key, how = "RS256") {
  const text = (part) => base64url(typeof part === "string" ? part : JSON.stringify(part));
  const message = `${text(header)}.${text(payload)}`;
  const signature =
    how === "HS256"
      ? createHmac("sha256", key).update(message).digest("base64url")
      : createSign("sha256").update(message).sign(key, "base64url");
  return `${message}.${signature}`;
}

/** A server on this machine; `respond` may be replaced. `requests` counts. */
export async function jwksServer(respond) {
  const state = { respond, requests: 0 };
  const server = createServer((request, response) => {
    state.requests += 1;
    state.respond(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}/jwks.json`;
  state.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return state;
}

/** Answers with JSON. */
export const json =
  (body, headers = {}, status = 200) =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
