/** The first half: who makes a request. */

import type { Principal, Value } from "../engine/request.js";
import { OptionsError } from "../errors.js";
import { codeOf, type Exchange, Stop } from "./exchange.js";
import type { WorkerIdentity } from "./identity.js";
import { principalFromClaims, type TokenClaims, type TokenOptions, TokenVerifier } from "./token.js";

/** What limits how often somebody may try: Cloudflare's binding, or a function that resolves to whether the request may go on. */
export type RateLimit =
  | { limit(options: { key: string }): Promise<{ success: boolean }> }
  | ((request: Request) => boolean | Promise<boolean>);

/** Who is let in, and as whom. */
export interface AuthenticationOptions {
  /** Which tokens are believed; they come as `Authorization: Bearer TOKEN`. */
  token: TokenOptions | TokenVerifier;
  /** The principal of a token. Default: {@link principalFromClaims}. What it throws refuses the token. */
  principal?: ((claims: TokenClaims) => Principal | Promise<Principal>) | undefined;
  /** Who makes requests without a token; the policies decide what that is worth. Default: nobody, 401. */
  anonymous?: Principal | undefined;
  /** Asked before anything else; of a binding the key is the address of the client. */
  rateLimit?: RateLimit | undefined;
  /** What `Retry-After` says to those who try too often, in seconds. Default: 60. */
  retryAfter?: number | undefined;
}

/** Finds out who makes a request. */
export class Authentication {
  readonly #verifier: TokenVerifier;
  readonly #principal: (claims: TokenClaims) => Principal | Promise<Principal>;
  readonly #anonymous: Principal | undefined;
  readonly #rateLimit: RateLimit | undefined;
  readonly #retryAfter: number;

  /** Throws an `OptionsError`. */
  constructor({
    token,
    principal = principalFromClaims,
    anonymous,
    rateLimit,
    retryAfter = 60,
  }: AuthenticationOptions) {
    if (typeof principal !== "function") {
      throw new OptionsError("principal", "must be a function");
    }
    if (rateLimit !== undefined && typeof rateLimit !== "function" && typeof rateLimit?.limit !== "function") {
      throw new OptionsError(
        "rateLimit",
        "must be a rate limiting binding, or a function: is it bound in wrangler.toml?",
      );
    }
    this.#verifier = token instanceof TokenVerifier ? token : new TokenVerifier(token);
    this.#principal = principal;
    this.#anonymous = anonymous;
    this.#rateLimit = rateLimit;
    this.#retryAfter = retryAfter;
  }

  /** The identity of a request, or why it does not pass. */
  async identify({ request, known }: Exchange): Promise<WorkerIdentity | Stop> {
    if (!(await this.#mayTry(request))) {
      return new Stop("rate-limited", "RATE_LIMITED", undefined, { "retry-after": String(this.#retryAfter) });
    }
    const header = request.headers.get("authorization");
    if (header === null && this.#anonymous !== undefined) {
      known.principal = this.#anonymous.id;
      return { principal: this.#anonymous };
    }
    const [, token] = /^Bearer +([^\s,]+)$/i.exec(header ?? "") ?? [];
    if (token === undefined) {
      return new Stop("unauthenticated", "NO_TOKEN", undefined, { "www-authenticate": "Bearer" });
    }
    try {
      const claims = await this.#verifier.verify(token);
      const principal = await this.#principal(claims);
      known.principal = principal.id;
      return { principal, claims: claims as unknown as Record<string, Value> };
    } catch (error) {
      return refusal(error);
    }
  }

  async #mayTry(request: Request): Promise<boolean> {
    if (this.#rateLimit === undefined) {
      return true;
    }
    if (typeof this.#rateLimit === "function") {
      return (await this.#rateLimit(request)) === true;
    }
    const key = request.headers.get("cf-connecting-ip") ?? "unknown";
    return (await this.#rateLimit.limit({ key })).success === true;
  }
}

function refusal(error: unknown): Stop {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // Neither the keys of the provider nor the list of revoked tokens tell anything of the token.
  if (/UNAVAILABLE$/.test(code)) {
    return new Stop("unavailable", code, message, { "retry-after": "30" });
  }
  if (/^(JWT|IDENTITY)_/.test(code)) {
    return new Stop("unauthenticated", code, message, { "www-authenticate": 'Bearer error="invalid_token"' });
  }
  return new Stop("unavailable", code, message);
}
