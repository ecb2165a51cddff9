/** A signing key of our own, as an identity provider has one, and tokens signed by it. */

import { generateKeyPairSync, sign } from "node:crypto";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A fresh RSA key: `publicPem`, `publicJwk`, and `sign(claims, header)`, which makes a JWT that is valid for an hour. */
export function createKey(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    publicPem: publicKey.export({ type: "spki", format: "pem" }),
    publicJwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" },
    sign(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const content = [
        { alg: "RS256", kid, typ: "JWT", ...header },
        { iat: now, nbf: now - 1, exp: now + 3600, ...claims },
      ]
        .map(encode)
        .join(".");
      return `${content}.${sign("sha256", Buffer.from(content), privateKey).toString("base64url")}`;
    },
  };
}
