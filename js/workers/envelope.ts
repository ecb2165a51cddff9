/** An identity in a header, where workers cannot call each other's methods: signed, for one request, for some seconds. */

import { jwtVerify, SignJWT } from "jose";
import { OptionsError } from "../errors.js";
import { isIdentity, type WorkerIdentity } from "./identity.js";

/** The header that carries it. */
export const ENVELOPE_HEADER = "x-orthrus-identity";

const ISSUER = "orthrus-auth-worker";
const AUDIENCE = "orthrus-authz-worker";
const MIN_SECRET = 32;

/** Seals and opens. Both workers have the same secret. */
export class Envelope {
  readonly #secret: Uint8Array;
  readonly #lifetime: number;

  /** The secret has 32 bytes at least; `lifetime` is in seconds. Throws an `OptionsError`. */
  constructor(secret: string, path: string, lifetime = 30) {
    const bytes = new TextEncoder().encode(typeof secret === "string" ? secret : "");
    if (bytes.length < MIN_SECRET) {
      throw new OptionsError(path, `must be a secret of ${MIN_SECRET} bytes or more: \`wrangler secret put\``);
    }
    this.#secret = bytes;
    this.#lifetime = lifetime;
  }

  /** The header for a request. */
  async seal(identity: WorkerIdentity, request: Request): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ identity, method: request.method, url: request.url } as never)
      .setProtectedHeader({ alg: "HS256", typ: "orthrus+jwt" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + this.#lifetime)
      .sign(this.#secret);
  }

  /** The identity for a request; `undefined` where the header is not one for it. */
  async open(request: Request): Promise<WorkerIdentity | undefined> {
    const sealed = request.headers.get(ENVELOPE_HEADER);
    if (sealed === null) {
      return undefined;
    }
    try {
      const { payload } = await jwtVerify(sealed, this.#secret, {
        algorithms: ["HS256"],
        typ: "orthrus+jwt",
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["exp", "iat"],
        maxTokenAge: this.#lifetime,
      });
      const { identity, method, url } = payload as { identity?: unknown; method?: unknown; url?: unknown };
      return method === request.method && url === request.url && isIdentity(identity) ? identity : undefined;
    } catch {
      return undefined;
    }
  }
}
