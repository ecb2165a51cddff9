/**
 * The compact form of ordinary requests, written straight into a buffer that the addon reads (the format is described in
 * `src/contract/frame.rs`).
 *
 * It carries only attributes that some policy reads. All attributes are looked at, though, so that a value which JSON cannot
 * carry is refused wherever it stands. What is out of the ordinary in any way (a wrong type, an alias, a value that has to be
 * refused, a request that does not fit) makes the functions here give up, and the JSON encoder says what is wrong with it, or
 * sends it.
 */

import type { AttributesRead } from "./attributes.js";
import type { AuxClaims } from "./aux-data.js";
import { encodeJson, isPlain, POLICY_VERSION, SCOPE } from "./encode.js";
import type {
  CheckResourceRequest,
  CheckResourcesRequest,
  IsAllowedRequest,
  Resource,
  ResourceCheck,
} from "./request.js";

/** Larger requests go as JSON. Every length within fits the 16 bits that frames have for them. */
const SIZE = 60 * 1024;

/** The last frame that was written. */
const bytes = new Uint8Array(SIZE);

// Exported by another name: what is exported by its own is read through `exports` at every access.
export { bytes as frame };

let at = 0;
/** Whether a frame is being written: a getter of a request may make a check of its own. */
let busy = false;

const view = new DataView(bytes.buffer);
const utf8 = new TextEncoder();

/** Up to this length a loop beats the call of the encoder. */
const SHORT = 96;

enum Flag {
  METADATA = 1,
  AUX_DATA = 2,
}

enum Tag {
  NULL = 0,
  FALSE = 1,
  TRUE = 2,
  NUMBER = 3,
  TEXT = 4,
  JSON = 5,
}

/** In place of a length or a count: as in the resource before. */
const AS_BEFORE = 0xffff;

/** What no kind is. */
const NO_KIND = Symbol("no kind");

const NO_ACTIONS: readonly string[] = [];

/**
 * What was written last of a resource. The resources of a request mostly have all this in common. `names` is never cut, which
 * takes longer than writing it: the first `nameCount` are valid.
 */
const before: { kind: unknown; names: string[]; nameCount: number; actions: readonly string[] } = {
  kind: NO_KIND,
  names: [],
  nameCount: 0,
  actions: NO_ACTIONS,
};

/** V8 inlines it in a loop over an object's own names, which it does not do with `Object.hasOwn` (Node 20). */
const hasOwn = Object.prototype.hasOwnProperty;

/** Thrown, and caught again below: this request is not for frames. */
const GIVE_UP = Symbol("give up");

function giveUp(): never {
  throw GIVE_UP;
}

type Write<Request> = (request: Request, auxClaims: AuxClaims | undefined, reads: AttributesRead) => void;

/** Writes a request into {@link frame} and gives its length; 0 if it has to go as JSON. */
export function writeFrame<Request>(
  write: Write<Request>,
  request: Request,
  auxClaims: AuxClaims | undefined,
  reads: AttributesRead,
): number {
  if (busy) {
    return 0;
  }
  busy = true;
  at = 0;
  try {
    write(request, auxClaims, reads);
    return at;
  } catch {
    // Whatever a getter or an encoder threw, the JSON encoder meets it again and reports it with its path.
    return 0;
  } finally {
    busy = false;
  }
}

/** For {@link writeFrame}: any number of resources. */
export const writeCheckResources: Write<CheckResourcesRequest> = (request, auxClaims, reads) => {
  const { resources } = request;
  if (!Array.isArray(resources) || resources.length === 0) {
    giveUp();
  }
  writeHead(request, auxClaims, resources.length, reads);
  for (let index = 0; index < resources.length; index++) {
    const { resource, actions } = resources[index] as ResourceCheck;
    writeResource(resource, reads);
    writeActions(actions);
  }
};

/** For {@link writeFrame}: one resource. */
export const writeCheckResource: Write<CheckResourceRequest> = (request, auxClaims, reads) => {
  writeHead(request, auxClaims, 1, reads);
  writeResource(request.resource, reads);
  writeNames(request.actions);
};

/** For {@link writeFrame}: one action on one resource. */
export const writeIsAllowed: Write<IsAllowedRequest> = (request, auxClaims, reads) => {
  writeHead(request, auxClaims, 1, reads);
  writeResource(request.resource, reads);
  writeShort(1);
  writeName(request.action);
};

/** All that stands before the resources. */
function writeHead(
  { principal, includeMetadata, requestId }: Omit<CheckResourcesRequest, "resources">,
  auxClaims: AuxClaims | undefined,
  resources: number,
  reads: AttributesRead,
): void {
  if (
    principal.attributes !== undefined ||
    (requestId !== undefined && typeof requestId !== "string") ||
    (includeMetadata !== undefined && typeof includeMetadata !== "boolean")
  ) {
    giveUp();
  }
  bytes[at++] = (includeMetadata ? Flag.METADATA : 0) | (auxClaims === undefined ? 0 : Flag.AUX_DATA);
  writeName(principal.id);
  writeOptional(principal.policyVersion, POLICY_VERSION);
  writeOptional(principal.scope, SCOPE);
  writeNames(principal.roles);
  writeAttributes(principal.attr, reads.principal);
  if (auxClaims !== undefined) {
    writeJson(encodeJson(auxClaims, "auxData", giveUp));
  }
  writeShort(resources);
  before.kind = NO_KIND;
  before.actions = NO_ACTIONS;
}

function writeResource(resource: Resource, reads: AttributesRead): void {
  const { kind, attr } = resource;
  if (resource.attributes !== undefined) {
    giveUp();
  }
  const isKindOfBefore = kind === before.kind;
  if (isKindOfBefore) {
    writeShort(AS_BEFORE);
  } else {
    writeName(kind);
    before.kind = kind;
  }
  writeName(resource.id);
  writeOptional(resource.policyVersion, POLICY_VERSION);
  writeOptional(resource.scope, SCOPE);
  const wanted = reads.resource(kind);
  if (!isKindOfBefore || !writeAttributesAsBefore(attr, wanted)) {
    before.nameCount = writeAttributes(attr, wanted, before.names);
  }
}

/** Writes attributes and gives their count; `names` begins with those of what was written. */
function writeAttributes(attributes: unknown, wanted: ReadonlySet<string> | undefined, names?: string[]): number {
  const start = at;
  let count = 0;
  writeShort(0);
  if (attributes !== undefined) {
    requirePlain(attributes);
    for (const name in attributes) {
      const value = ownValue(attributes, name);
      if (value === undefined) {
        continue;
      }
      if (wanted === undefined || wanted.has(name)) {
        writeText(name);
        writeValue(value);
        if (names !== undefined) {
          names[count] = name;
        }
        count++;
      } else {
        checkValue(value);
      }
    }
    bytes[start] = count & 0xff;
    bytes[start + 1] = count >> 8;
  }
  return count;
}

/** Writes the values alone, if the names are those of the resource before. If not, nothing is written. */
function writeAttributesAsBefore(attributes: unknown, wanted: ReadonlySet<string> | undefined): boolean {
  const start = at;
  const { names, nameCount } = before;
  let count = 0;
  writeShort(AS_BEFORE);
  if (attributes !== undefined) {
    requirePlain(attributes);
    for (const name in attributes) {
      const value = ownValue(attributes, name);
      if (value === undefined) {
        continue;
      }
      if (count < nameCount && name === names[count]) {
        writeValue(value);
        count++;
      } else if (wanted === undefined || wanted.has(name)) {
        at = start;
        return false;
      } else {
        checkValue(value);
      }
    }
  }
  if (count < nameCount) {
    at = start;
    return false;
  }
  return true;
}

function requirePlain(attributes: unknown): asserts attributes is Record<string, unknown> {
  if (typeof attributes !== "object" || attributes === null || Array.isArray(attributes) || !isPlain(attributes)) {
    giveUp();
  }
}

function ownValue(attributes: Record<string, unknown>, name: string): unknown {
  if (name === "" || !hasOwn.call(attributes, name)) {
    giveUp();
  }
  return attributes[name];
}

function writeValue(value: unknown): void {
  switch (typeof value) {
    case "string":
      bytes[at++] = Tag.TEXT;
      writeText(value);
      return;
    case "number":
      if (!Number.isFinite(value)) {
        giveUp();
      }
      bytes[at++] = Tag.NUMBER;
      reserve(8);
      // JSON has no negative zero, and neither have frames.
      view.setFloat64(at, value + 0, true);
      at += 8;
      return;
    case "boolean":
      bytes[at++] = value ? Tag.TRUE : Tag.FALSE;
      return;
    case "object":
      if (value === null) {
        bytes[at++] = Tag.NULL;
        return;
      }
      bytes[at++] = Tag.JSON;
      writeJson(encodeJson(value, "", giveUp));
      return;
    default:
      giveUp();
  }
}

/** Gives up for what {@link writeValue} gives up for. */
function checkValue(value: unknown): void {
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      if (value.length > SIZE || !value.isWellFormed()) {
        giveUp();
      }
      return;
    case "number":
      if (!Number.isFinite(value)) {
        giveUp();
      }
      return;
    case "object":
      if (value !== null) {
        encodeJson(value, "", giveUp);
      }
      return;
    default:
      giveUp();
  }
}

function writeOptional(value: unknown, pattern: RegExp): void {
  if (value === undefined || value === "") {
    writeShort(0);
  } else if (typeof value === "string" && pattern.test(value)) {
    writeText(value);
  } else {
    giveUp();
  }
}

function writeActions(actions: unknown): void {
  if (Array.isArray(actions) && isAsBefore(actions)) {
    writeShort(AS_BEFORE);
    return;
  }
  writeNames(actions);
  before.actions = [...(actions as string[])];
}

/** Whether the actions are those of the resource before: each of them, because lists are changed. */
function isAsBefore(actions: unknown[]): boolean {
  const known = before.actions;
  if (actions.length === 0 || actions.length !== known.length) {
    return false;
  }
  for (let index = 0; index < known.length; index++) {
    if (actions[index] !== known[index]) {
      return false;
    }
  }
  return true;
}

/** Roles or actions: at least one, each not empty and given once. */
function writeNames(names: unknown): void {
  if (!Array.isArray(names) || names.length === 0 || hasRepetition(names)) {
    giveUp();
  }
  writeShort(names.length);
  for (let index = 0; index < names.length; index++) {
    writeName(names[index]);
  }
}

function hasRepetition(names: unknown[]): boolean {
  if (names.length > 16) {
    return new Set(names).size < names.length;
  }
  for (let index = 1; index < names.length; index++) {
    for (let earlier = 0; earlier < index; earlier++) {
      if (names[earlier] === names[index]) {
        return true;
      }
    }
  }
  return false;
}

function writeName(name: unknown): void {
  if (name === "") {
    giveUp();
  }
  writeText(name);
}

function writeText(text: unknown): void {
  if (typeof text !== "string") {
    giveUp();
  }
  const { length } = text;
  const start = at + 2;
  reserve(2 + 3 * length);
  let end = start;
  if (length <= SHORT) {
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        end = encodeAt(text, start);
        break;
      }
      bytes[end++] = unit;
    }
  } else {
    end = encodeAt(text, start);
  }
  const written = end - start;
  bytes[at] = written & 0xff;
  bytes[at + 1] = written >> 8;
  at = end;
}

function writeJson(json: string): void {
  reserve(4 + 3 * json.length);
  const start = at + 4;
  const end = encodeAt(json, start);
  const written = end - start;
  bytes[at] = written & 0xff;
  bytes[at + 1] = written >> 8;
  // SIZE leaves the two upper bytes of the length empty.
  bytes[at + 2] = 0;
  bytes[at + 3] = 0;
  at = end;
}

/** Encodes a text at a position and gives the position after it. */
function encodeAt(text: string, start: number): number {
  if (!text.isWellFormed()) {
    // UTF-8 has no unpaired surrogates: two different strings would become the same.
    giveUp();
  }
  return start + utf8.encodeInto(text, bytes.subarray(start)).written;
}

function writeShort(value: number): void {
  reserve(2);
  if (value > 0xffff) {
    giveUp();
  }
  bytes[at++] = value & 0xff;
  bytes[at++] = value >> 8;
}

/** Room for so many bytes, and for the tag that may follow them. */
function reserve(size: number): void {
  if (at + size + 1 > SIZE) {
    giveUp();
  }
}
