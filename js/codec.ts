/**
 * The wire format between this package and its addon: request objects to JSON text, the addon's answer to result objects.
 *
 * `JSON.stringify` is not enough: it turns `NaN` into `null`, drops functions and empties a `Map`, and a policy would decide
 * about something that the caller never said. This encoder refuses such values and says where they are. On requests of one
 * resource it takes 1.1 to 1.2 times the time of `JSON.stringify` (Node 20), which a check before it would double.
 */

import type { AuxClaims } from "./aux-data.js";
import { OrthrusError, RequestError, type RequestErrorCode } from "./errors.js";
import { type Answer, MASK_BITS, type NativeDetail } from "./native.js";
import type { CheckResourcesRequest, IsAllowedRequest, Principal, Resource, ResourceCheck, Value } from "./request.js";
import {
  CheckResourcesResponse,
  CheckResourcesResult,
  type CheckResourcesResultMetadata,
  Effect,
  type OutputResult,
  type ValidationError,
} from "./result.js";

/** How deep lists and maps may nest in one attribute. */
export const MAX_DEPTH = 64;
/** How long an encoded request may be, in bytes of UTF-8. */
export const MAX_BYTES = 16 * 1024 * 1024;

// --- Refusals -------------------------------------------------------------------------------------------------------

/** Why something cannot be encoded. The path is put together while the call stack unwinds, so that success costs nothing. */
class Refusal {
  /** From the innermost segment outwards; a number is an index. */
  readonly segments: (string | number)[] = [];
  /** The containers passed, innermost first: where one occurs twice, the value contains itself. */
  readonly containers: object[] = [];

  constructor(
    readonly code: RequestErrorCode,
    readonly problem: string,
    readonly cause?: unknown,
  ) {}
}

function refuse(problem: string): never {
  throw new Refusal("REQUEST_INVALID", problem);
}

/** The refusal with one more segment before its path. Whatever a getter or `toJSON` threw is a refusal too. */
function within(error: unknown, segment: string | number, container?: object): Refusal {
  let refusal: Refusal;
  if (error instanceof Refusal) {
    refusal = error;
  } else {
    const message = error instanceof Error ? error.message : String(error);
    refusal = new Refusal("REQUEST_INVALID", `reading it failed: ${message}`, error);
  }
  refusal.segments.push(segment);
  if (container !== undefined) {
    refusal.containers.push(container);
  }
  return refusal;
}

const TOO_DEEP = `is nested deeper than ${MAX_DEPTH} levels`;

/** What is refused, where, and why. */
export interface Complaint {
  code: RequestErrorCode;
  path: string;
  problem: string;
  cause: unknown;
}

function complaint(refusal: Refusal): Complaint {
  let { code, problem } = refusal;
  let segments = refusal.segments.toReversed();
  if (problem === TOO_DEEP) {
    const containers = refusal.containers.toReversed();
    const again = containers.findIndex((container, index) => containers.indexOf(container) < index);
    if (again > 0) {
      // Containers are recorded for the innermost segments only, so count from the end.
      segments = segments.slice(0, segments.length - (containers.length - again));
      code = "REQUEST_INVALID";
      problem = "contains itself";
    }
  }
  return { code, path: formatPath(segments), problem, cause: refusal.cause };
}

function formatPath(segments: (string | number)[]): string {
  let path = "";
  for (const segment of segments) {
    if (typeof segment === "number") {
      path += `[${segment}]`;
    } else if (/^[A-Za-z_$][\w$]*$/.test(segment)) {
      path += path === "" ? segment : `.${segment}`;
    } else {
      path += `[${JSON.stringify(segment)}]`;
    }
  }
  return path;
}

// --- Encoding -------------------------------------------------------------------------------------------------------

/** The text so far. V8 joins it lazily, so that appending is cheap. */
let text = "";

/** Runs an encoder on a fresh text; getters and `toJSON` may come back here for a request of their own. */
function encoding(encode: () => void): string {
  const outer = text;
  text = "";
  try {
    encode();
    if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES) {
      throw tooLarge();
    }
    return text;
  } finally {
    text = outer;
  }
}

function tooLarge(): Refusal {
  return new Refusal("REQUEST_TOO_LARGE", `makes the request exceed ${MAX_BYTES / 1024 / 1024} MiB`);
}

function requestError(error: unknown): RequestError {
  const { code, path, problem, cause } = complaint(error instanceof Refusal ? error : within(error, "request"));
  return new RequestError(code, path, problem, cause === undefined ? undefined : { cause });
}

/** The JSON text of a value; what cannot be encoded is handed to `fail`, with its path below `root`. */
export function encodeJson(value: unknown, root: string, fail: (complaint: Complaint) => Error): string {
  try {
    return encoding(() => writeValue(value, 1));
  } catch (error) {
    throw fail(complaint(within(error, root)));
  }
}

/** The request as the addon takes it. Throws a `RequestError`. */
export function encodeCheckResources(request: CheckResourcesRequest, auxClaims: AuxClaims | undefined): string {
  try {
    return encoding(() => {
      requireObject(request, "the request must be an object");
      const { resources } = request;
      writeHead(request, auxClaims);
      let place: string | number | undefined;
      try {
        if (!Array.isArray(resources) || resources.length === 0) {
          refuse("must be a list of at least one resource with its actions");
        }
        for (let index = 0; index < resources.length; index++) {
          place = index;
          const check = resources[index] as ResourceCheck;
          requireObject(check, "must be an object with a resource and actions");
          text += index === 0 ? "" : ",";
          writeCheck(check.resource, check.actions);
        }
      } catch (error) {
        throw place === undefined ? within(error, "resources") : within(within(error, place), "resources");
      }
      text += "]}";
    });
  } catch (error) {
    throw requestError(error);
  }
}

/** The request about one resource, as the addon takes it. Throws a `RequestError`. */
export function encodeCheckResource(
  request: ResourceCheck & Omit<CheckResourcesRequest, "resources">,
  auxClaims: AuxClaims | undefined,
): string {
  try {
    return encoding(() => {
      requireObject(request, "the request must be an object");
      writeHead(request, auxClaims);
      writeCheck(request.resource, request.actions);
      text += "]}";
    });
  } catch (error) {
    throw requestError(error);
  }
}

/** The request about one action on one resource, as the addon takes it. Throws a `RequestError`. */
export function encodeIsAllowed(request: IsAllowedRequest, auxClaims: AuxClaims | undefined): string {
  try {
    return encoding(() => {
      requireObject(request, "the request must be an object");
      writeHead(request, auxClaims);
      text += '{"resource":';
      writeResource(request.resource);
      text += ',"actions":[';
      writeField(request.action, "action");
      text += "]}]}";
    });
  } catch (error) {
    throw requestError(error);
  }
}

/** All that stands before the resources, up to the bracket that opens their list. */
function writeHead(request: Omit<CheckResourcesRequest, "resources">, auxClaims: AuxClaims | undefined): void {
  const { requestId, includeMetadata } = request;
  text += "{";
  if (requestId !== undefined) {
    text += '"requestId":';
    writeField(requestId, "requestId", true);
    text += ",";
  }
  if (includeMetadata !== undefined && typeof includeMetadata !== "boolean") {
    throw within(new Refusal("REQUEST_INVALID", "must be true or false"), "includeMetadata");
  }
  if (includeMetadata) {
    text += '"includeMeta":true,';
  }
  if (auxClaims !== undefined) {
    text += '"auxData":';
    writeAuxClaims(auxClaims);
    text += ",";
  }
  text += '"principal":';
  writePrincipal(request.principal);
  text += ',"resources":[';
}

function writePrincipal(principal: Principal): void {
  try {
    requireObject(principal, "must be an object with an id and roles");
    text += '{"id":';
    writeField(principal.id, "id");
    text += ',"roles":';
    writeNames(principal.roles, "roles");
    writeCommon(principal);
  } catch (error) {
    throw within(error, "principal");
  }
}

function writeCheck(resource: Resource, actions: string[]): void {
  text += '{"resource":';
  writeResource(resource);
  text += ',"actions":';
  writeNames(actions, "actions");
  text += "}";
}

function writeResource(resource: Resource): void {
  try {
    requireObject(resource, "must be an object with a kind and an id");
    text += '{"kind":';
    writeField(resource.kind, "kind");
    text += ',"id":';
    writeField(resource.id, "id");
    writeCommon(resource);
  } catch (error) {
    throw within(error, "resource");
  }
}

export const POLICY_VERSION = /^\w*$/;
export const SCOPE = /^(?:|\.|[0-9a-zA-Z][\w-]*(?:\.\w[\w-]*)*)$/;

/** What principals and resources share, and the brace that closes them. */
function writeCommon(subject: Principal | Resource): void {
  const { policyVersion, scope, attr, attributes } = subject;
  if (policyVersion !== undefined && policyVersion !== "") {
    writePattern(policyVersion, "policyVersion", POLICY_VERSION, "letters, digits and underscores");
  }
  if (scope !== undefined && scope !== "") {
    writePattern(scope, "scope", SCOPE, 'names joined by dots, such as "acme.corp"');
  }
  if (attr !== undefined || attributes !== undefined) {
    text += ',"attr":';
    if (attributes === undefined) {
      writeAttributes(attr as Record<string, Value>, "attr");
    } else if (attr === undefined) {
      writeAttributes(attributes, "attributes");
    } else {
      requireAttributes(attr, "attr");
      requireAttributes(attributes, "attributes");
      writeAttributes({ ...attributes, ...attr }, "attr");
    }
  }
  text += "}";
}

function writePattern(value: string, name: string, pattern: RegExp, description: string): void {
  if (typeof value !== "string" || !pattern.test(value)) {
    throw within(new Refusal("REQUEST_INVALID", `must be ${description}`), name);
  }
  text += `,"${name}":"${value}"`;
}

function requireAttributes(attributes: object, name: string): void {
  if (typeof attributes !== "object" || attributes === null || !isPlain(attributes)) {
    throw within(new Refusal("REQUEST_INVALID", `must be a plain object, not ${describe(attributes)}`), name);
  }
}

function writeAttributes(attributes: Record<string, Value>, name: string): void {
  requireAttributes(attributes, name);
  try {
    writeMap(attributes, 0);
  } catch (error) {
    throw within(error, name);
  }
  if (Object.hasOwn(attributes, "") && attributes[""] !== undefined) {
    throw within(within(new Refusal("REQUEST_INVALID", "an attribute needs a name"), ""), name);
  }
}

function writeAuxClaims({ jwt, jwts }: AuxClaims): void {
  let place = "jwt";
  try {
    text += "{";
    if (jwt !== undefined) {
      text += '"jwt":';
      writeValue(jwt, 1);
    }
    if (jwts !== undefined) {
      place = "jwts";
      text += jwt === undefined ? '"jwts":' : ',"jwts":';
      // One level more than claims may have: the map of the names.
      writeValue(jwts, 0);
    }
    text += "}";
  } catch (error) {
    throw within(within(error, place), "auxData");
  }
}

function requireObject(value: unknown, problem: string): void {
  if (typeof value !== "object" || value === null) {
    refuse(problem);
  }
}

function writeField(value: unknown, name: string, mayBeEmpty = false): void {
  try {
    writeName(value, mayBeEmpty);
  } catch (error) {
    throw within(error, name);
  }
}

function writeName(value: unknown, mayBeEmpty = false): void {
  if (typeof value !== "string") {
    refuse(`must be a string, not ${describe(value)}`);
  }
  if (value === "" && !mayBeEmpty) {
    refuse("must not be empty");
  }
  text += quote(value);
}

/** Roles or actions: at least one, each not empty and given once. */
function writeNames(names: unknown, name: string): void {
  let place: number | undefined;
  try {
    if (!Array.isArray(names) || names.length === 0) {
      refuse("must be a list of at least one string");
    }
    const seen = names.length > 16 ? new Set<unknown>() : undefined;
    text += "[";
    for (let index = 0; index < names.length; index++) {
      place = index;
      const item: unknown = names[index];
      text += index === 0 ? "" : ",";
      writeName(item);
      if (seen === undefined ? names.indexOf(item) < index : seen.has(item)) {
        refuse(`repeats ${JSON.stringify(item)}: each may be given once`);
      }
      seen?.add(item);
    }
    text += "]";
  } catch (error) {
    throw place === undefined ? within(error, name) : within(within(error, place), name);
  }
}

/** `depth` is how many lists and maps there will be around what is in this value, itself included. */
function writeValue(value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      text += quote(value);
      return;
    case "number":
      if (!Number.isFinite(value)) {
        refuse(`must be a finite number, not ${value}`);
      }
      text += value;
      return;
    case "boolean":
      text += value ? "true" : "false";
      return;
    case "object":
      if (value === null) {
        text += "null";
      } else if (Array.isArray(value)) {
        writeList(value, depth);
      } else if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
        writeConverted(value as { toJSON(key: string): unknown }, depth);
      } else if (isPlain(value)) {
        writeMap(value as Record<string, unknown>, depth);
      } else {
        refuse(`must be a plain object or have a toJSON method, not ${describe(value)}`);
      }
      return;
    default:
      refuse(`must be a value that JSON can carry, not ${describe(value)}`);
  }
}

function writeConverted(value: { toJSON(key: string): unknown }, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new Refusal("REQUEST_TOO_LARGE", TOO_DEEP);
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    refuse("must be a valid date");
  }
  writeValue(value.toJSON(""), depth + 1);
}

function writeList(list: unknown[], depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new Refusal("REQUEST_TOO_LARGE", TOO_DEEP);
  }
  let index = 0;
  try {
    text += "[";
    for (; index < list.length; index++) {
      if (index > 0) {
        text += ",";
      }
      writeValue(list[index], depth + 1);
      if (text.length > MAX_BYTES) {
        throw tooLarge();
      }
    }
    text += "]";
  } catch (error) {
    throw within(error, index, list);
  }
}

function writeMap(map: Record<string, unknown>, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new Refusal("REQUEST_TOO_LARGE", TOO_DEEP);
  }
  let place = "";
  try {
    let empty = true;
    for (const key in map) {
      if (!Object.hasOwn(map, key)) {
        continue;
      }
      place = key;
      const value = map[key];
      if (value === undefined) {
        continue;
      }
      text += empty ? `{${keyPrefix(key)}` : `,${keyPrefix(key)}`;
      empty = false;
      writeValue(value, depth + 1);
      if (text.length > MAX_BYTES) {
        throw tooLarge();
      }
    }
    text += empty ? "{}" : "}";
  } catch (error) {
    throw within(error, place, map);
  }
}

/** `"key":` of keys seen before: programs use few. Bounded, because some maps have data for keys. */
const keyPrefixes = new Map<string, string>();
const MAX_KEY_PREFIXES = 2048;

function keyPrefix(key: string): string {
  const known = keyPrefixes.get(key);
  if (known !== undefined) {
    return known;
  }
  const prefix = `${quote(key)}:`;
  if (keyPrefixes.size < MAX_KEY_PREFIXES && key.length <= 48) {
    keyPrefixes.set(key, prefix);
  }
  return prefix;
}

// What JSON escapes, and surrogates, which may be unpaired.
const NOT_VERBATIM = /[\u0000-\u001f"\\\ud800-\udfff]/;

function quote(value: string): string {
  if (value.length > MAX_BYTES) {
    throw tooLarge();
  }
  if (isVerbatim(value)) {
    return `"${value}"`;
  }
  if (!value.isWellFormed()) {
    // UTF-8 has no unpaired surrogates: two different strings would become the same.
    refuse("must be well-formed Unicode, without an unpaired surrogate");
  }
  return JSON.stringify(value);
}

/** Whether JSON says it as it is. Most strings are short, and for those a loop takes a third of the time of the expression. */
function isVerbatim(value: string): boolean {
  if (value.length > 48) {
    return !NOT_VERBATIM.test(value);
  }
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit <= 0xdfff)) {
      return false;
    }
  }
  return true;
}

/** Whether it was written as `{…}`, made by `Object.create(null)`, or came so from another realm. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What a value is, for a person. */
function describe(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return typeof name === "string" && name !== "" && name !== "Object" ? `an instance of ${name}` : "an object";
  }
  return `a ${typeof value}`;
}

// --- Decoding -------------------------------------------------------------------------------------------------------

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
export function decodeCheckResource({ resource, actions }: ResourceCheck, answer: Answer): CheckResourcesResult {
  return decodeResult(resource, actions, answer, 0, decodeDetails(answer, actions.length)?.[0]);
}

/** The response to a request. */
export function decodeCheckResources(
  request: CheckResourcesRequest,
  answer: Answer,
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
    results.push(decodeResult(resource, actions, answer, start, details?.[results.length]));
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
    decodeMetadata(detail?.meta),
    detail?.outputs?.map(decodeOutput) ?? [],
  );
}

function decodeMetadata(meta: NativeDetail["meta"]): CheckResourcesResultMetadata | undefined {
  if (meta === undefined) {
    return undefined;
  }
  const { actions, effectiveDerivedRoles = [] } = meta;
  for (const effect of Object.values(actions)) {
    effect.matchedScope ??= "";
  }
  return { actions: actions as CheckResourcesResultMetadata["actions"], effectiveDerivedRoles };
}

function decodeOutput({ src, action, val, error }: NonNullable<NativeDetail["outputs"]>[number]): OutputResult {
  return { action, source: src, value: val as Value | undefined, error };
}
