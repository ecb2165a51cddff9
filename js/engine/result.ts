/** What a decision is answered with: the shapes of `@cerbos/core`. */

import type { PolicySource } from "./policy-source.js";
import type { ResourceSearch, Value } from "./request.js";
import { ulid } from "./ulid.js";

/** The outcome for one action. */
export enum Effect {
  ALLOW = "EFFECT_ALLOW",
  DENY = "EFFECT_DENY",
}

/** Whose attributes a schema refuses. */
export enum ValidationErrorSource {
  PRINCIPAL = "SOURCE_PRINCIPAL",
  RESOURCE = "SOURCE_RESOURCE",
}

/** An attribute that its schema refuses. */
export interface ValidationError {
  path: string;
  message: string;
  source: ValidationErrorSource;
}

/** What the output expression of a rule came to: a value, or the error of its evaluation. */
export interface OutputResult {
  /** The action that was being decided. */
  action: string;
  /** The rule, such as `resource.document.vdefault#rule-001`. */
  source: string;
  value: Value | undefined;
  error: string | undefined;
}

/** The policy that decided an action. */
export interface CheckResourcesResultMetadataEffect {
  /** Such as `resource.document.vdefault/acme`, or `NO_MATCH`. */
  matchedPolicy: string;
  matchedScope: string;
}

/** How a decision came about. */
export interface CheckResourcesResultMetadata {
  actions: Record<string, CheckResourcesResultMetadataEffect>;
  effectiveDerivedRoles: string[];
  /** The bundle that decided; absent where the policies came as text. */
  policySource?: PolicySource;
}

/** The resource as it was asked for; what was left out is empty. */
export interface CheckResourcesResultResource {
  kind: string;
  id: string;
  policyVersion: string;
  scope: string;
}

/** The decisions for one resource. */
export class CheckResourcesResult {
  resource: CheckResourcesResultResource;
  /** The effect of each action that was asked for, in that order. */
  actions: Record<string, Effect>;
  /** What schemas refuse in the attributes of the principal and of this resource. */
  validationErrors: ValidationError[];
  /** `undefined` unless the request asked for it by `includeMetadata`. */
  metadata: CheckResourcesResultMetadata | undefined;
  outputs: OutputResult[];

  /** @internal */
  constructor(
    resource: CheckResourcesResultResource,
    actions: Record<string, Effect>,
    validationErrors: ValidationError[],
    metadata: CheckResourcesResultMetadata | undefined,
    outputs: OutputResult[],
  ) {
    this.resource = resource;
    this.actions = actions;
    this.validationErrors = validationErrors;
    this.metadata = metadata;
    this.outputs = outputs;
  }

  /** Whether every action is allowed. */
  allAllowed(): boolean {
    return Object.values(this.actions).every((effect) => effect === Effect.ALLOW);
  }

  /** The actions that are allowed, in the order of the request. */
  allowedActions(): string[] {
    return Object.keys(this.actions).filter((action) => this.actions[action] === Effect.ALLOW);
  }

  /** Whether an action is allowed; `undefined` if it was not asked for. */
  isAllowed(action: string): boolean | undefined {
    // Own properties only: what is inherited was not decided here.
    return Object.hasOwn(this.actions, action) ? this.actions[action] === Effect.ALLOW : undefined;
  }

  /** The value that a rule put out; `undefined` if it put out none. */
  output(source: string): Value | undefined {
    return this.outputs.find((output) => output.source === source)?.value;
  }
}

/** The decisions for all resources of a request. */
export class CheckResourcesResponse {
  /** One for each resource, in the order of the request. */
  results: CheckResourcesResult[];
  // Both are made when they are first read: most callers never do, and randomness costs more than the decision.
  #requestId: string | undefined;
  #cerbosCallId: string | undefined;

  /** @internal */
  constructor(results: CheckResourcesResult[], requestId: string | undefined, cerbosCallId?: string) {
    this.results = results;
    this.#requestId = requestId;
    this.#cerbosCallId = cerbosCallId;
  }

  /** A ULID of this call; its time is that of the first reading. */
  get cerbosCallId(): string {
    this.#cerbosCallId ??= ulid(Date.now());
    return this.#cerbosCallId;
  }

  /** The request's own, or a random UUID. */
  get requestId(): string {
    this.#requestId ??= crypto.randomUUID();
    return this.#requestId;
  }

  /** Whether every action on a resource is allowed; `undefined` if the resource was not asked for. */
  allAllowed(resource: ResourceSearch): boolean | undefined {
    return this.findResult(resource)?.allAllowed();
  }

  /** The actions allowed on a resource; `undefined` if the resource was not asked for. */
  allowedActions(resource: ResourceSearch): string[] | undefined {
    return this.findResult(resource)?.allowedActions();
  }

  /** Whether an action on a resource is allowed; `undefined` if it was not asked for. */
  isAllowed(check: { resource: ResourceSearch; action: string }): boolean | undefined {
    return this.findResult(check.resource)?.isAllowed(check.action);
  }

  /** The first result for a resource; `undefined` if it was not asked for. */
  findResult(search: ResourceSearch): CheckResourcesResult | undefined {
    const { kind, id, policyVersion, scope } = search;
    return this.results.find(
      ({ resource }) =>
        resource.kind === kind &&
        resource.id === id &&
        (policyVersion === undefined || resource.policyVersion === policyVersion) &&
        (scope === undefined || resource.scope === scope),
    );
  }

  /** What schemas refuse, each thing once. */
  get validationErrors(): ValidationError[] {
    const unique = new Map<string, ValidationError>();
    for (const { validationErrors } of this.results) {
      for (const error of validationErrors) {
        unique.set(JSON.stringify([error.path, error.message, error.source]), error);
      }
    }
    return [...unique.values()];
  }

  /** With the two ids, which are accessors and would otherwise be missing. */
  toJSON(): { cerbosCallId: string; requestId: string; results: CheckResourcesResult[] } {
    return { cerbosCallId: this.cerbosCallId, requestId: this.requestId, results: this.results };
  }
}
