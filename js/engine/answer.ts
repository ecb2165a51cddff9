/** The addon's answers to result objects. What is no answer is a fault, and never an allowance. */

import { OrthrusError } from "../errors.js";
import { type Answer, MASK_BITS, type NativeDetail } from "./native.js";
import type { PolicySource } from "./policy-source.js";
import type { CheckResourcesRequest, Resource, ResourceCheck, Value } from "./request.js";
import {
  CheckResourcesResponse,
  CheckResourcesResult,
  type CheckResourcesResultMetadata,
  Effect,
  type OutputResult,
  type ValidationError,
} from "./result.js";

const ALLOW = "A".charCodeAt(0);
const DENY = "D".charCodeAt(0);
const LINE_FEED = "\n".charCodeAt(0);

function fault(problem: string): OrthrusError {
  return new OrthrusError("ENGINE_FAULT", `the engine broke its contract: ${problem}`);
}

/** The details in an answer about so many actions, `undefined` if there are none. Throws if it is no such answer. */
function decodeDetails(answer: Answer, actions: number): NativeDetail[] | undefined {
  if (typeof answer === "number") {
    if ((answer | 0) !== answer || answer < 0 || actions > MASK_BITS || answer >>> actions !== 0) {
      throw fault(`${answer} does not answer ${actions} actions`);
    }
    return undefined;
  }
  if (answer.length === actions) {
    return undefined;
  }
  if (answer.charCodeAt(actions) !== LINE_FEED) {
    throw fault(`${answer.length} characters do not answer ${actions} actions`);
  }
  return JSON.parse(answer.slice(actions + 1));
}

/** The letters and the details of an answer for an audit log. */
export function splitAnswer(answer: Answer): { letters: string; details: NativeDetail[] } {
  const end = typeof answer === "string" ? answer.indexOf("\n") : -1;
  if (typeof answer !== "string" || end < 0) {
    throw fault("an answer for an audit log lacks its details");
  }
  return { letters: answer.slice(0, end), details: JSON.parse(answer.slice(end + 1)) };
}

/** The same answer without what only an audit log wants to know. */
export function withoutAudit(letters: string, details: NativeDetail[], includeMetadata: boolean | undefined): Answer {
  const told = details.map(({ outputs, validationErrors, meta }) => ({
    outputs,
    validationErrors,
    meta: includeMetadata ? meta : undefined,
  }));
  return `${letters}\n${JSON.stringify(told)}`;
}

/** The effect of an action. Anything but the two letters is a fault, never an allowance. */
function isAllowedAt(answer: Answer, index: number): boolean {
  if (typeof answer === "number") {
    return ((answer >>> index) & 1) === 1;
  }
  const letter = answer.charCodeAt(index);
  if (letter !== ALLOW && letter !== DENY) {
    throw fault(`there is no decision for action ${index}`);
  }
  return letter === ALLOW;
}

/** The decision of a request with one action. */
export function decodeIsAllowed(answer: Answer): boolean {
  decodeDetails(answer, 1);
  return isAllowedAt(answer, 0);
}

/** What schemas refuse in a request with one resource. */
export function decodeValidationErrors(answer: Answer): ValidationError[] {
  return (decodeDetails(answer, 1)?.[0]?.validationErrors ?? []) as ValidationError[];
}

/** The result of a request with one resource. */
export function decodeCheckResource(
  { resource, actions }: ResourceCheck,
  answer: Answer,
  policySource: PolicySource | undefined,
): CheckResourcesResult {
  return decodeResult(resource, actions, answer, 0, decodeDetails(answer, actions.length)?.[0], policySource);
}

/** The response to a request. */
export function decodeCheckResources(
  request: CheckResourcesRequest,
  answer: Answer,
  policySource: PolicySource | undefined,
  callId?: string,
): CheckResourcesResponse {
  const { resources } = request;
  let total = 0;
  for (const { actions } of resources) {
    total += actions.length;
  }
  const details = decodeDetails(answer, total);
  const results: CheckResourcesResult[] = [];
  let start = 0;
  for (const { resource, actions } of resources) {
    results.push(decodeResult(resource, actions, answer, start, details?.[results.length], policySource));
    start += actions.length;
  }
  return new CheckResourcesResponse(results, request.requestId, callId);
}

function decodeResult(
  { kind, id, policyVersion = "", scope = "" }: Resource,
  actions: string[],
  answer: Answer,
  start: number,
  detail: NativeDetail | undefined,
  policySource: PolicySource | undefined,
): CheckResourcesResult {
  const effects: Record<string, Effect> = {};
  for (let index = 0; index < actions.length; index++) {
    const action = actions[index] as string;
    const effect = isAllowedAt(answer, start + index) ? Effect.ALLOW : Effect.DENY;
    if (action === "__proto__") {
      // An assignment would set the prototype.
      Object.defineProperty(effects, action, { value: effect, enumerable: true, configurable: true, writable: true });
    } else {
      effects[action] = effect;
    }
  }
  return new CheckResourcesResult(
    { kind, id, policyVersion, scope },
    effects,
    (detail?.validationErrors ?? []) as ValidationError[],
    decodeMetadata(detail?.meta, policySource),
    detail?.outputs?.map(decodeOutput) ?? [],
  );
}

function decodeMetadata(
  meta: NativeDetail["meta"],
  policySource: PolicySource | undefined,
): CheckResourcesResultMetadata | undefined {
  if (meta === undefined) {
    return undefined;
  }
  const { actions, effectiveDerivedRoles = [] } = meta;
  for (const effect of Object.values(actions)) {
    effect.matchedScope ??= "";
  }
  return {
    actions: actions as CheckResourcesResultMetadata["actions"],
    effectiveDerivedRoles,
    ...(policySource === undefined ? {} : { policySource }),
  };
}

function decodeOutput({ src, action, val, error }: NonNullable<NativeDetail["outputs"]>[number]): OutputResult {
  return { action, source: src, value: val as Value | undefined, error };
}
