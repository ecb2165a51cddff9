/** The claims of a verified token as the policies of Cerbos read them. */

/** The claims of a token. Those that are registered have their type; all others are what JSON can hold. */
export interface JwtClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since 1970, as are `nbf` and `iat`. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [claim: string]: unknown;
}

/** Claims are frozen, so what they become needs to be made once. */
const made = new WeakMap<JwtClaims, Record<string, unknown>>();

/**
 * As the PDP hands them over: times as text in RFC 3339, whole seconds (`timestamp(request.auxData.jwt.exp)`), `aud` always a
 * list, and nothing that is null.
 */
export function claimsOfPolicies(claims: JwtClaims): Record<string, unknown> {
  let result = made.get(claims);
  if (result === undefined) {
    const entries = Object.entries(claims).filter(([, value]) => value !== null);
    result = Object.fromEntries(entries.map(([name, value]) => [name, convert(name, value)]));
    made.set(claims, result);
  }
  return result;
}

function convert(name: string, value: unknown): unknown {
  if ((name === "exp" || name === "nbf" || name === "iat") && typeof value === "number") {
    return new Date(Math.trunc(value) * 1000).toISOString().replace(".000Z", "Z");
  }
  return name === "aud" && typeof value === "string" ? [value] : value;
}
