/** How the questions of proxies are answered. */

import type { Route } from "../workers/routes.js";

/** What a proxy is, and so in which headers it says what it asks about. */
export type GatewayProxy = "traefik" | "caddy" | "nginx" | "envoy";

export interface GatewayOptions {
  /** The proxies that may ask; each has an endpoint of its own. Where a proxy is not named, its endpoint is not there. */
  proxies: GatewayProxy[];
  /** Which request asks for which action on which resource: the path of a file in YAML or JSON, or the routes. */
  routes: string | readonly Route[];
  /** Who makes requests. */
  identity: {
    token?: TokenIdentityOptions;
    certificate?: CertificateIdentityOptions;
    /** Who makes requests that have neither token nor certificate. Default: nobody, and 401. */
    anonymous?: AnonymousOptions;
  };
}

/** Bearer tokens, and tokens in a cookie. */
export interface TokenIdentityOptions {
  /** The id of a key set of `auxData.jwt`, which has to name the `issuer`. */
  keySet: string;
  /** A cookie that holds a token where the header `Authorization` does not, such as `__session`. Default: none. */
  cookie?: string;
  /** What the claims mean. Default: `{ provider: "standard" }`. */
  claims?: ClaimsMappingOptions;
}

/** Whose principal claims are. */
export type ClaimsMappingOptions =
  /** `sub`, and the roles of a claim (`roles`); those who have none have the default one (`user`). */
  | { provider: "standard"; rolesClaim?: string; defaultRole?: string }
  /** Tokens of Clerk, as `principalFromClerk` of `orthrus/clerk` has them. */
  | {
      provider: "clerk";
      onUnauthenticated?: "anonymous" | "throw";
      requireOrganization?: boolean;
      orgRolePrefix?: "keep" | "strip";
      allowPending?: boolean;
      claims?: string[];
    }
  /** Access tokens of WorkOS, as `principalFromWorkOS` of `orthrus/workos` has them. */
  | { provider: "workos"; requireOrganization?: boolean };

/** Certificates of clients, which the proxy has verified. */
export interface CertificateIdentityOptions {
  /**
   * The header in which the proxy says whose certificate it is. It has to set it on every request, or to remove it: what a client could send
   * would count. Envoy says it by gRPC, and needs none.
   */
  header?: string;
  /** The role of those who have one. Default: `service`. */
  role?: string;
}

export interface AnonymousOptions {
  id: string;
  roles: string[];
  attr?: Record<string, unknown>;
}
