/** Lists of tokens that are refused although they have not expired. */

import type { JwtClaims } from "./jwt-claims.js";

/** Knows which tokens are revoked. */
export interface RevocationList {
  /** Whether a token with these claims is revoked. What it throws or rejects with counts as no answer. */
  isRevoked(claims: JwtClaims): boolean | PromiseLike<boolean>;
}

/** What to revoke: one token, or all tokens of a subject or session that were issued until some moment. */
export type Revocation = (
  | { /** The id of the token. */ jti: string }
  | { /** The subject. */ sub: string /** Default: now. */; issuedBefore?: Date | undefined }
  | { /** The session. */ sid: string /** Default: now. */; issuedBefore?: Date | undefined }
) & {
  /** When it may be forgotten: not before the last of the tokens has expired. Default: never. */
  expiresAt?: Date | undefined;
};

/** The claims by which tokens are revoked; the moment matters to the last two. */
const KINDS = ["jti", "sub", "sid"] as const;

/** Under which name a revocation is kept. */
const entryName = (kind: string, value: string): string => `${kind}:${value}`;

interface Entry {
  name: string;
  /** Milliseconds since 1970: tokens issued until then are revoked. */
  issuedBefore: number;
  expiresAt: number;
}

export function entryOf(revocation: Revocation, now: number): Entry {
  // With two of them it could be meant that either or both must fit: whichever it is not, tokens would stay valid.
  const [kind, another] = KINDS.filter((kind) => kind in revocation);
  const value: unknown = kind && (revocation as Record<string, unknown>)[kind];
  if (kind === undefined || another !== undefined || typeof value !== "string" || value === "") {
    throw new TypeError("a revocation needs either a jti, a sub or a sid, which is not empty");
  }
  const { issuedBefore } = revocation as { issuedBefore?: Date };
  const moments = {
    issuedBefore: kind === "jti" ? Number.POSITIVE_INFINITY : (issuedBefore?.getTime() ?? now),
    expiresAt: revocation.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
  };
  if (Object.values(moments).some(Number.isNaN)) {
    throw new TypeError("issuedBefore and expiresAt must be valid dates");
  }
  return { name: entryName(kind, value), ...moments };
}

/** The entries that would revoke a token. */
export function namesOf(claims: JwtClaims): string[] {
  return KINDS.flatMap((kind) => {
    const value = claims[kind];
    return typeof value === "string" ? [entryName(kind, value)] : [];
  });
}

/**
 * Whether a token was issued until a moment. `iat` counts whole seconds, so one issued later in the same second counts as well;
 * of one without `iat` it cannot be known, so it does too.
 */
export function issuedUntil(claims: JwtClaims, moment: number): boolean {
  return typeof claims.iat !== "number" || claims.iat * 1000 <= moment;
}

/** A list in the memory of this process. Other processes do not see it, and it ends with the process. */
export class MemoryRevocationList implements RevocationList {
  readonly #entries = new Map<string, Entry>();
  /** At how many entries those that have expired are looked for. */
  #sweepAt = 1024;

  /** Revokes. Throws a `TypeError` if it is not said what. */
  revoke(revocation: Revocation): void {
    const entry = entryOf(revocation, Date.now());
    const other = this.#entries.get(entry.name);
    // What was revoked before stays revoked.
    entry.issuedBefore = Math.max(entry.issuedBefore, other?.issuedBefore ?? 0);
    entry.expiresAt = Math.max(entry.expiresAt, other?.expiresAt ?? 0);
    this.#entries.set(entry.name, entry);
    if (this.#entries.size >= this.#sweepAt) {
      this.#sweep();
    }
  }

  isRevoked(claims: JwtClaims): boolean {
    if (this.#entries.size === 0) {
      return false;
    }
    return namesOf(claims).some((name) => {
      const entry = this.#entries.get(name);
      return entry !== undefined && Date.now() < entry.expiresAt && issuedUntil(claims, entry.issuedBefore);
    });
  }

  /** How many revocations are kept. */
  get size(): number {
    return this.#entries.size;
  }

  #sweep(): void {
    const now = Date.now();
    for (const [name, { expiresAt }] of this.#entries) {
      if (expiresAt <= now) {
        this.#entries.delete(name);
      }
    }
    this.#sweepAt = Math.max(1024, this.#entries.size * 2);
  }
}

/** A client of the package `redis` (version 4 or later), connected. */
export interface NodeRedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  get(key: string): Promise<unknown>;
  sendCommand: unknown;
}

/** A client of the package `ioredis` (version 5 or later). */
export interface IoRedisClient {
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>;
  get(key: string): Promise<unknown>;
  call: unknown;
}

export interface RedisRevocationListOptions {
  /** What the keys in Redis begin with. Default: `"orthrus:revoked:"`. */
  prefix?: string | undefined;
}

/**
 * Keeps the later moment and the later end of what is there and what is new, in one step: two processes may revoke at once.
 * The value is the moment in milliseconds, or `inf`. ARGV: moment, and end in milliseconds since 1970, or `inf`.
 */
const REVOKE = `
local function number(text) if text == 'inf' then return math.huge end return tonumber(text) end
local before, ends = number(ARGV[1]), number(ARGV[2])
local old = redis.call('GET', KEYS[1])
if old then
  if number(old) > before then before = number(old) end
  local left = redis.call('PEXPIRETIME', KEYS[1])
  if left == -1 then ends = math.huge elseif left > ends then ends = left end
end
local text = before == math.huge and 'inf' or string.format('%.0f', before)
if ends == math.huge then redis.call('SET', KEYS[1], text)
else redis.call('SET', KEYS[1], text, 'PXAT', string.format('%.0f', ends)) end
return text`;

/** A list in Redis 7 or later, which all processes share. The client stays the caller's: connect, configure and close it yourself. */
export class RedisRevocationList implements RevocationList {
  readonly #client: NodeRedisClient | IoRedisClient;
  readonly #prefix: string;

  constructor(client: NodeRedisClient | IoRedisClient, options: RedisRevocationListOptions = {}) {
    if (typeof client?.get !== "function" || typeof client.eval !== "function") {
      throw new TypeError("a client of redis or ioredis is needed");
    }
    this.#client = client;
    this.#prefix = options.prefix ?? "orthrus:revoked:";
  }

  /** Revokes. Rejects with a `TypeError` if it is not said what, and with the client's error if Redis does not do it. */
  async revoke(revocation: Revocation): Promise<void> {
    const { name, issuedBefore, expiresAt } = entryOf(revocation, Date.now());
    const key = this.#prefix + name;
    const args = [issuedBefore, expiresAt].map((moment) => (Number.isFinite(moment) ? String(moment) : "inf"));
    if ("call" in this.#client) {
      await this.#client.eval(REVOKE, 1, key, ...args);
    } else {
      await this.#client.eval(REVOKE, { keys: [key], arguments: args });
    }
  }

  /** Asks for each claim by itself, so that it works in a cluster; clients send what is asked at once in one go. */
  async isRevoked(claims: JwtClaims): Promise<boolean> {
    const names = namesOf(claims);
    const moments = await Promise.all(names.map((name) => this.#client.get(this.#prefix + name)));
    return moments.some((moment) => moment !== null && !this.#isBefore(moment, claims));
  }

  /** Whether a moment is before the token; what is no moment is not. */
  #isBefore(moment: unknown, claims: JwtClaims): boolean {
    const milliseconds = moment === "inf" ? Number.POSITIVE_INFINITY : Number(moment);
    return !Number.isNaN(milliseconds) && !issuedUntil(claims, milliseconds);
  }
}
