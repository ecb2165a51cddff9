/** What verifiers, revocation lists and the option `auxData` take and give. Compiled, never run. */

import { Redis } from "ioredis";
import { Orthrus, type Principal } from "orthrus";
import {
  createVerifier,
  type JwtClaims,
  JwtError,
  type JwtErrorCode,
  type JwtOptions,
  MemoryRevocationList,
  RedisRevocationList,
  type RevocationList,
} from "orthrus/jwt";
import { createClient, createCluster } from "redis";

const options: JwtOptions = {
  keySets: [
    {
      id: "login",
      remote: { url: new URL("https://issuer.test/jwks.json"), refreshInterval: "1h", timeout: 5, staleIfError: "30m" },
      issuer: "https://issuer.test",
      audience: ["api", "web"],
      algorithms: ["RS256", "ES256"],
      requiredClaims: ["sub"],
      types: ["at+jwt"],
      acceptableTimeSkew: 5,
    },
    { id: "own", local: { file: "keys.pem", pem: true }, insecure: { optionalExp: true } },
    { id: "text", local: { pem: "-----BEGIN PUBLIC KEY-----" } },
    { id: "secret", local: { secret: new Uint8Array(32) }, algorithms: ["HS256"] },
  ],
  acceptableTimeSkew: "2s",
  revocation: { list: new MemoryRevocationList(), onError: "deny", timeout: "200ms" },
};

export const verifier = createVerifier(options);

export async function principal(token: string): Promise<Principal> {
  const { claims, header, keySetId } = await verifier.verify(token, { keySetId: "login" });
  const expires: number | undefined = claims.exp;
  const subject: string | undefined = claims.sub;
  const kid: string | undefined = header.kid;
  // A claim that is not registered may be anything.
  const role = typeof claims["role"] === "string" ? claims["role"] : "none";
  return {
    id: subject ?? "",
    roles: [role],
    attr: { expires: expires ?? 0, kid: kid ?? "", keySetId: keySetId ?? "" },
  };
}

/** What frameworks need of a verifier. */
export const anyVerifier: { verify(token: string): Promise<{ claims: JwtClaims }> } = verifier;

export const engines: Orthrus[] = [
  Orthrus.openSync("policies", { auxData: { jwt: options } }),
  Orthrus.openSync("policies", { auxData: { jwt: verifier } }),
];

export const lists: RevocationList[] = [
  new MemoryRevocationList(),
  new RedisRevocationList(new Redis()),
  new RedisRevocationList(createClient(), { prefix: "app:" }),
  new RedisRevocationList(createCluster({ rootNodes: [] })),
  { isRevoked: async ({ jti }) => jti === "x" },
];

export async function signOut(list: RedisRevocationList, claims: JwtClaims): Promise<void> {
  await list.revoke({ jti: claims.jti ?? "", expiresAt: new Date((claims.exp ?? 0) * 1000) });
  await list.revoke({ sub: claims.sub ?? "", issuedBefore: new Date() });
}

export const status = (error: unknown): 401 | 503 | undefined =>
  error instanceof JwtError ? (error.retryable ? 503 : 401) : undefined;

// @ts-expect-error: none is no algorithm
export const none: JwtOptions = { keySets: [{ id: "x", local: { jwks: {} }, algorithms: ["none"] }] };
// @ts-expect-error: a code that does not exist
export const code: JwtErrorCode = "JWT_WRONG";
// @ts-expect-error: something to revoke must be named
new MemoryRevocationList().revoke({ expiresAt: new Date() });
// @ts-expect-error: claims are not to be changed
verifier.verify("x").then(({ claims }) => (claims.sub = "eve"));
