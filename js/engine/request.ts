/** What a decision is asked with: the shapes of `@cerbos/core`, so that code written for a Cerbos client runs unchanged. */

/** What JSON can carry. Numbers reach the policies as doubles. */
export type Value = string | number | boolean | null | { [key: string]: Value } | Value[];

/** Who asks. */
export interface Principal {
  /** Not empty. */
  id: string;
  /** At least one; each not empty, and given once. */
  roles: string[];
  /**
   * What the policies may know of the principal.
   *
   * A property that is `undefined` is left out. A `Date`, and any other object with a `toJSON` method, becomes what that method
   * returns. All else that JSON cannot carry (`NaN`, a `bigint`, a `Map`, an instance of a class, a cycle) is refused with the
   * path of the value. At most 64 levels deep.
   */
  attr?: Record<string, Value> | undefined;
  /** @deprecated The older name of {@link Principal.attr}, which wins where both have a key. */
  attributes?: Record<string, Value> | undefined;
  /** The version of the principal policy; by default the option `defaultPolicyVersion`. */
  policyVersion?: string | undefined;
  /** The scope of the principal policy, such as `acme.corp`; by default the option `defaultScope`. */
  scope?: string | undefined;
}

/** What is acted on. */
export interface Resource {
  /** The resource kind that policies name. Not empty. */
  kind: string;
  /** Not empty. */
  id: string;
  /** What the policies may know of the resource, as in {@link Principal.attr}. */
  attr?: Record<string, Value> | undefined;
  /** @deprecated The older name of {@link Resource.attr}, which wins where both have a key. */
  attributes?: Record<string, Value> | undefined;
  /** The version of the resource policy; by default the option `defaultPolicyVersion`. */
  policyVersion?: string | undefined;
  /** The scope of the resource policy, such as `acme.corp`; by default the option `defaultScope`. */
  scope?: string | undefined;
}

/** A resource and what is to be done with it. */
export interface ResourceCheck {
  resource: Resource;
  /** At least one; each not empty, and given once. */
  actions: string[];
}

/** How to find a result among several. Fields that are left out match any. */
export interface ResourceSearch {
  kind: string;
  id: string;
  policyVersion?: string | undefined;
  scope?: string | undefined;
}

/** An encoded token. */
export interface JWT {
  token: string;
  /** The key set to verify it by; may be left out where there is one alone. */
  keySetId?: string | undefined;
}

/** Tokens whose claims the policies may read. One of the two. */
export interface AuxData {
  /** Read as `request.auxData.jwt`. */
  jwt?: JWT | undefined;
  /** Read as `request.auxData.jwts.NAME.claims`. */
  jwts?: Record<string, JWT> | undefined;
}

/** What a request has beside the principal and the resources. */
export interface RequestExtras {
  auxData?: AuxData | undefined;
  /** Tell which policy decided, and which derived roles were effective. */
  includeMetadata?: boolean | undefined;
  /** Comes back in the response; by default a random UUID. */
  requestId?: string | undefined;
  /** Accepted for compatibility; annotations belong to the audit log of a server and never change a decision. */
  requestContext?: { annotations: Record<string, Value> } | undefined;
}

/** Several resources, one principal. */
export interface CheckResourcesRequest extends RequestExtras {
  principal: Principal;
  /** At least one. */
  resources: ResourceCheck[];
}

/** One resource, several actions. */
export interface CheckResourceRequest extends RequestExtras, ResourceCheck {
  principal: Principal;
}

/** One resource, one action. */
export interface IsAllowedRequest extends RequestExtras {
  principal: Principal;
  resource: Resource;
  /** Not empty. */
  action: string;
}

/** What may be said of a call. */
export interface RequestOptions {
  /** The promise is rejected with the signal's reason when it is aborted before the decision is made. */
  signal?: AbortSignal | undefined;
}
