/** Entries of the decision log to records as the PDP's file backend writes them: Protobuf's JSON, which leaves out what is empty. */

import type { CheckInput, CheckOutput, DecisionLogEntry } from "../engine/decision-log.js";
import type { PolicySource } from "../engine/policy-source.js";
import type { Value } from "../engine/request.js";
import type { OutputResult } from "../engine/result.js";

type Fields = { [field: string]: Value };

/** A line of the audit log, before it is text. */
export interface AuditRecord {
  "log.logger": "cerbos.audit";
  "log.kind": "decision";
  callId: string;
  /** As in RFC 3339. */
  timestamp: string;
  peer: Fields;
  metadata?: Fields;
  /** `inputs`, `outputs` and `error`, as far as there are any. */
  checkResources: Fields;
  auditTrail: Fields;
  oversized?: true;
  policySource?: Fields;
  requestContext?: Fields;
}

/** The record of an entry. It shares attributes with the entry, which stays as it is. */
export function auditRecord(entry: DecisionLogEntry): AuditRecord {
  const { callId, timestamp, peer, metadata, method, auditTrail, oversized, policySource, requestContext } = entry;
  const { inputs, outputs, error } = method;
  const sources = mapOf(auditTrail.effectivePolicies, (attributes) => filled({ attributes: map(attributes) }));
  const values = mapOf(metadata, (values) => filled({ values }));
  return {
    "log.logger": "cerbos.audit",
    "log.kind": "decision",
    callId,
    timestamp: timestamp.toISOString(),
    peer: filled({ ...peer }),
    ...(values && { metadata: values }),
    checkResources: filled({ inputs: inputs.map(inputRecord), outputs: outputs.map(outputRecord), error }),
    auditTrail: filled({ effectivePolicies: sources }),
    ...(oversized && { oversized }),
    ...(policySource && { policySource: sourceRecord(policySource) }),
    ...(requestContext && { requestContext: filled({ annotations: map(requestContext.annotations) }) }),
  };
}

function inputRecord({ requestId, principal, resource, actions, auxData }: CheckInput): Fields {
  return filled({
    requestId,
    principal: filled({ ...principal, attr: map(principal.attr) }),
    resource: filled({ ...resource, attr: map(resource.attr) }),
    actions,
    auxData: auxData && claimsRecord(auxData),
  });
}

/** The claims of tokens that have names stand one level deeper. */
function claimsRecord({ jwt, jwts }: NonNullable<CheckInput["auxData"]>): Fields {
  const named = jwts && mapOf(jwts, (claims) => filled({ claims: map(claims) }));
  return filled({ jwt: map(jwt), jwts: named });
}

function outputRecord(output: CheckOutput): Fields {
  const { requestId, actions, resourceId, effectiveDerivedRoles, validationErrors, outputs, evaluationErrors } = output;
  return filled({
    requestId,
    actions: mapOf(actions, ({ effect, scope, policy }) => filled({ effect, scope, policy })),
    resourceId,
    effectiveDerivedRoles,
    validationErrors: validationErrors.map(({ path, source, message }) => filled({ path, source, message })),
    outputs: outputs.map(ruleOutputRecord),
    evaluationErrors: evaluationErrors.map(({ message, expression }) => ({ celError: { message, expression } })),
  });
}

/** A value is told even if it is empty: that is what the rule put out. */
function ruleOutputRecord({ source, action, value, error }: OutputResult): Fields {
  return { ...filled({ src: source, action }), ...(value === undefined ? filled({ error }) : { val: value }) };
}

/** A bundle, by the name that the PDP has for policies inside a program. */
function sourceRecord({ url, commit }: PolicySource): Fields {
  return { embeddedPdp: filled({ url, commitHash: commit }) };
}

/** The fields of a message that are not at their default. */
function filled(fields: { [field: string]: Value | undefined }): Fields {
  const kept: Fields = {};
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0)) {
      kept[field] = value;
    }
  }
  return kept;
}

/** A map unless it is empty. What is in it are values of the application, and stays whatever it is. */
function map(values: { [key: string]: Value } | undefined): Fields | undefined {
  return values === undefined || Object.keys(values).length === 0 ? undefined : values;
}

/** A map with other values; `undefined` if it is empty. */
function mapOf<Item>(items: Record<string, Item>, record: (item: Item) => Value): Fields | undefined {
  return map(Object.fromEntries(Object.entries(items).map(([key, item]) => [key, record(item)])));
}
