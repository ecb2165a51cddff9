/** What `onDecision` is told: entries in the shape of the decision log of `@cerbos/core`. */

import type { AuxClaims } from "./aux-data.js";
import type { NativeDetail } from "./native.js";
import type { PolicySource } from "./policy-source.js";
import type { RequestExtras, Value } from "./request.js";
import type { Effect, OutputResult, ValidationError } from "./result.js";

/** A principal or resource as it was checked, with everything filled in. */
interface CheckedSubject {
  id: string;
  attr: Record<string, Value>;
  policyVersion: string;
  scope: string;
}

/** One resource of a request. */
export interface CheckInput {
  requestId: string;
  principal: CheckedSubject & { roles: string[] };
  resource: CheckedSubject & { kind: string };
  actions: string[];
  /** The claims of tokens, never the tokens. `jwt` is empty where the request names its tokens. */
  auxData: { jwt: Record<string, Value>; jwts?: Record<string, Record<string, Value>> } | undefined;
}

/** An expression that raised an error, and therefore counted as not satisfied. */
export interface EvaluationError {
  /** The text in the policy. */
  expression: string;
  message: string;
}

/** What was decided for one resource. */
export interface CheckOutput {
  requestId: string;
  resourceId: string;
  actions: Record<string, { effect: Effect; policy: string; scope: string }>;
  effectiveDerivedRoles: string[];
  validationErrors: ValidationError[];
  outputs: OutputResult[];
  /** Each expression once. Cerbos' own client does not tell them. */
  evaluationErrors: EvaluationError[];
}

/** One call of a check method. */
export interface DecisionLogEntry {
  /** That of the response (`cerbosCallId`). */
  callId: string;
  timestamp: Date;
  /** Empty: there is no client but this process. */
  peer: { address: string; authInfo: string; userAgent: string; forwardedFor: string };
  /** Empty: there are no headers. */
  metadata: Record<string, string[]>;
  /** The policies whose rules were looked at, by key, each with its file as `source`. */
  auditTrail: { effectivePolicies: Record<string, Record<string, Value>> };
  method: { name: "CheckResources"; inputs: CheckInput[]; outputs: CheckOutput[]; error: string | undefined };
  oversized: boolean;
  /** The bundle that decided; `undefined` where the policies came as text. */
  policySource: PolicySource | undefined;
  requestContext: { annotations: Record<string, Value> } | undefined;
}

/** The request as it went to the addon. */
interface WireRequest {
  principal: { id: string; roles: string[]; attr?: Record<string, Value>; policyVersion?: string; scope?: string };
  resources: {
    resource: { kind: string; id: string; attr?: Record<string, Value>; policyVersion?: string; scope?: string };
    actions: string[];
  }[];
}

/** What a call came to. */
export interface Decided {
  callId: string;
  requestId: string;
  timestamp: Date;
  /** The request as JSON, as the addon got it. */
  request: string;
  auxClaims: AuxClaims | undefined;
  requestContext: RequestExtras["requestContext"];
  /** One letter an action: `A` or `D`. */
  letters: string;
  details: NativeDetail[];
  policySource: PolicySource | undefined;
}

/** The entry about a call. */
export function decisionLogEntry(decided: Decided): DecisionLogEntry {
  const { requestId } = decided;
  const { principal, resources }: WireRequest = JSON.parse(decided.request);
  const auxData = decided.auxClaims && ({ jwt: {}, ...decided.auxClaims } as CheckInput["auxData"]);
  let place = 0;
  const outputs = resources.map(({ resource, actions }, index): CheckOutput => {
    const { meta, outputs = [], validationErrors = [], evaluationErrors = [] } = decided.details[index] ?? {};
    const effect = (action: string) => {
      const { matchedPolicy = "", matchedScope = "" } = meta?.actions[action] ?? {};
      const allowed = decided.letters[place++] === "A";
      return {
        effect: (allowed ? "EFFECT_ALLOW" : "EFFECT_DENY") as Effect,
        policy: matchedPolicy,
        scope: matchedScope,
      };
    };
    return {
      requestId,
      resourceId: resource.id,
      actions: Object.fromEntries(actions.map((action) => [action, effect(action)])),
      effectiveDerivedRoles: meta?.effectiveDerivedRoles ?? [],
      validationErrors: validationErrors as ValidationError[],
      outputs: outputs.map(({ src, action, val, error }) => ({
        source: src,
        action,
        value: val as Value | undefined,
        error,
      })),
      evaluationErrors,
    };
  });
  return {
    callId: decided.callId,
    timestamp: decided.timestamp,
    peer: { address: "", authInfo: "", userAgent: "", forwardedFor: "" },
    metadata: {},
    auditTrail: { effectivePolicies: Object.assign({}, ...decided.details.map((detail) => detail.effectivePolicies)) },
    method: {
      name: "CheckResources",
      inputs: resources.map(({ resource, actions }) => ({
        requestId,
        principal: { ...DEFAULTS, ...principal },
        resource: { ...DEFAULTS, ...resource },
        actions,
        auxData,
      })),
      outputs,
      error: undefined,
    },
    oversized: false,
    policySource: decided.policySource,
    requestContext: decided.requestContext,
  };
}

const DEFAULTS = { attr: {}, policyVersion: "", scope: "" };
