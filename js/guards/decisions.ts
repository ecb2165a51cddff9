/** Decisions as they travel to a browser: effects alone. */

import type { ResourceCheck, ResourceSearch } from "../engine/request.js";
import type { CheckResourcesResponse, CheckResourcesResult } from "../engine/result.js";

/** What was decided for one resource. JSON. */
export interface ResourceDecisions {
  /** The resource as it was asked for; `policyVersion` and `scope` only where the request named them. */
  resource: { kind: string; id: string; policyVersion?: string; scope?: string };
  /** Whether each action that was asked for is allowed. */
  actions: Record<string, boolean>;
}

/** Decisions for `<AuthzProvider>` of `orthrus/react`. JSON. */
export type Decisions = readonly ResourceDecisions[];

/**
 * The decisions of a response, without anything that a browser must not learn: no attributes, outputs, policies, derived roles
 * or validation errors. The kinds and ids of the resources and the names of the actions remain.
 */
export function snapshot(
  answer: Pick<CheckResourcesResponse, "results"> | CheckResourcesResult | readonly CheckResourcesResult[],
): Decisions {
  return resultsOf(answer).map(({ resource, actions }) => ({
    resource: place(resource),
    actions: Object.fromEntries(Object.entries(actions).map(([action, effect]) => [action, effect === "EFFECT_ALLOW"])),
  }));
}

/** The decisions of a request in which everything is denied. */
export function allDenied(resources: readonly ResourceCheck[]): Decisions {
  return resources.map(({ resource, actions }) => ({
    resource: place(resource),
    actions: Object.fromEntries(actions.map((action) => [action, false])),
  }));
}

/** What identifies a resource; what is empty counts as left out. */
function place({ kind, id, policyVersion, scope }: ResourceSearch): ResourceDecisions["resource"] {
  return { kind, id, ...(policyVersion && { policyVersion }), ...(scope && { scope }) };
}

function resultsOf(answer: Parameters<typeof snapshot>[0]): readonly CheckResourcesResult[] {
  if ("results" in answer) {
    return answer.results;
  }
  return "actions" in answer ? [answer] : answer;
}
