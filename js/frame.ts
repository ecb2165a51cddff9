/**
 * The compact form of ordinary requests: one string of fields, each followed by U+0001 (the format is described in
 * `src/contract/frame.rs`).
 *
 * It carries only attributes that some policy reads. All attributes are looked at, though, so that a value which JSON cannot
 * carry is refused wherever it stands. What is out of the ordinary in any way (a wrong type, an alias, a value that has to be
 * refused) makes the functions here give up, and the JSON encoder says what is wrong with it, or sends it.
 */

import type { AttributesRead } from "./attributes.js";
import type { AuxClaims } from "./aux-data.js";
import { encodeJson, isPlain, MAX_BYTES } from "./codec.js";
import type { CheckResourceRequest, CheckResourcesRequest, IsAllowedRequest, Resource } from "./request.js";

/** How many fields the last frame has. */
export let fieldCount = 0;

const END = "\u0001";

/** Thrown, and caught again below: this request is not for frames. */
const GIVE_UP = Symbol("give up");

function giveUp(): never {
  throw GIVE_UP;
}

/** The frame of a request, or `undefined` if it has to go as JSON. Sets {@link fieldCount}. */
export function frameCheckResources(
  request: CheckResourcesRequest,
  auxClaims: AuxClaims | undefined,
  reads: AttributesRead,
): string | undefined {
  try {
    const { resources } = request;
    let frame = head(request, auxClaims, resources.length, reads);
    for (let index = 0; index < resources.length; index++) {
      const { resource, actions } = resources[index] as CheckResourcesRequest["resources"][number];
      frame += resourceFields(resource, reads) + textFields(actions);
    }
    return finished(frame);
  } catch {
    // Whatever a getter or an encoder threw, the JSON encoder meets it again and reports it with its path.
    return undefined;
  }
}

/** {@link frameCheckResources} for one resource. */
export function frameCheckResource(
  request: CheckResourceRequest,
  auxClaims: AuxClaims | undefined,
  reads: AttributesRead,
): string | undefined {
  try {
    return finished(
      head(request, auxClaims, 1, reads) + resourceFields(request.resource, reads) + textFields(request.actions),
    );
  } catch {
    return undefined;
  }
}

/** {@link frameCheckResources} for one action on one resource. */
export function frameIsAllowed(
  request: IsAllowedRequest,
  auxClaims: AuxClaims | undefined,
  reads: AttributesRead,
): string | undefined {
  try {
    const frame = head(request, auxClaims, 1, reads) + resourceFields(request.resource, reads);
    fieldCount += 2;
    return finished(`${frame}1${END}${textOf(request.action)}${END}`);
  } catch {
    return undefined;
  }
}

function finished(frame: string): string | undefined {
  return frame.length * 3 > MAX_BYTES ? undefined : frame;
}

/** All that stands before the resources. */
function head(
  { principal, includeMetadata, requestId }: Omit<CheckResourcesRequest, "resources">,
  auxClaims: AuxClaims | undefined,
  resources: number,
  reads: AttributesRead,
): string {
  if (
    principal.attributes !== undefined ||
    (requestId !== undefined && typeof requestId !== "string") ||
    (includeMetadata !== undefined && typeof includeMetadata !== "boolean")
  ) {
    giveUp();
  }
  fieldCount = 6;
  return (
    (includeMetadata ? `1${END}` : `0${END}`) +
    textOf(principal.id) +
    END +
    optionalText(principal.policyVersion) +
    END +
    optionalText(principal.scope) +
    END +
    textFields(principal.roles) +
    attributeFields(principal.attr, reads.principal) +
    (auxClaims === undefined ? END : encodeJson(auxClaims, "auxData", giveUp) + END) +
    resources +
    END
  );
}

function resourceFields(resource: Resource, reads: AttributesRead): string {
  const { kind, attr } = resource;
  if (resource.attributes !== undefined) {
    giveUp();
  }
  fieldCount += 4;
  return (
    textOf(kind) +
    END +
    textOf(resource.id) +
    END +
    optionalText(resource.policyVersion) +
    END +
    optionalText(resource.scope) +
    END +
    attributeFields(attr, reads.resource(kind))
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : giveUp();
}

function optionalText(value: unknown): string {
  return value === undefined ? "" : textOf(value);
}

function textFields(texts: unknown): string {
  if (!Array.isArray(texts)) {
    giveUp();
  }
  fieldCount += 1 + texts.length;
  let fields = texts.length + END;
  for (let index = 0; index < texts.length; index++) {
    fields += textOf(texts[index]) + END;
  }
  return fields;
}

function attributeFields(attributes: unknown, wanted: ReadonlySet<string> | undefined): string {
  if (attributes === undefined) {
    fieldCount += 1;
    return `0${END}`;
  }
  if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes) || !isPlain(attributes)) {
    giveUp();
  }
  let fields = "";
  let count = 0;
  for (const name in attributes) {
    if (name === "" || !Object.hasOwn(attributes, name)) {
      giveUp();
    }
    const value = (attributes as Record<string, unknown>)[name];
    if (value === undefined) {
      continue;
    }
    const field = valueField(value);
    if (wanted === undefined || wanted.has(name)) {
      fields += name + END + field + END;
      count++;
    }
  }
  fieldCount += 1 + 2 * count;
  return count + END + fields;
}

function valueField(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `s${value}`;
    case "number":
      return Number.isFinite(value) ? `n${value}` : giveUp();
    case "boolean":
      return value ? "t" : "f";
    case "object":
      return value === null ? "0" : `j${encodeJson(value, "", giveUp)}`;
    default:
      return giveUp();
  }
}
