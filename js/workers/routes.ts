/** Which request asks for which action on which resource: a table that can be written as JSON. */

import type { Resource, Value } from "../engine/request.js";
import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { namesIdentity } from "./identity.js";
import type { NormalPath } from "./path.js";

/** An attribute: a text in which `{name}` stands for a part of the path, or a header or parameter of the query by its name. */
export type RouteAttribute = string | { header: string } | { query: string };

/** What a request asks for. */
export interface Route {
  /**
   * Segments that are as written, `{name}` for any segment, or at the end `{name*}` for the rest, which may be empty: `/files/{path*}`.
   * Matching tells letters apart by case.
   */
  path: string;
  /** Default: all methods. */
  methods?: readonly string[] | undefined;
  /** Hosts, without port; `*.example.com` for all below one. Default: all hosts. */
  hosts?: readonly string[] | undefined;
  /** What is acted on. In `id` (default: the path) and `scope`, `{name}` stands for a part of the path. */
  resource: {
    kind: string;
    id?: string | undefined;
    scope?: string | undefined;
    policyVersion?: string | undefined;
    attr?: Record<string, RouteAttribute> | undefined;
  };
  /** What is to be done: a name, in which `{method}` stands for the method in small letters, or a name for each method. */
  action: string | Record<string, string>;
}

/** What a request asks for, by a route. */
export interface RouteMatch {
  /** The path of the route as it is written. */
  route: string;
  resource: Resource;
  action: string;
}

type Segment = { literal: string } | { name: string } | { rest: string };

interface CompiledRoute {
  route: Route;
  segments: Segment[];
  methods: ReadonlySet<string> | undefined;
  hosts: readonly string[] | undefined;
}

const ROUTE = ["path", "methods", "hosts", "resource", "action"];
const RESOURCE = ["kind", "id", "scope", "policyVersion", "attr"];
const METHOD = /^[A-Z]+$/;

/** A table of routes, which finds the most exact one. */
export class Routes {
  readonly #routes: readonly CompiledRoute[];

  /** Throws an `OptionsError` for a route that is wrong, or that stands for the same requests as another. */
  constructor(routes: readonly Route[], path = "routes") {
    if (!Array.isArray(routes)) {
      throw new OptionsError(path, "must be a list of routes");
    }
    const compiled = routes.map((route, index) => compile(route, `${path}[${index}]`));
    refuseRivals(compiled, path);
    // Exact segments before names, names before the rest: never by the order in which they are written.
    this.#routes = compiled.toSorted((left, right) => (rank(left) < rank(right) ? -1 : 1));
  }

  /** What a request asks for; `undefined` where no route fits. */
  match(request: { method: string; url: URL; path: NormalPath; headers: Headers }): RouteMatch | undefined {
    const { method, url, path } = request;
    for (const { route, segments, methods, hosts } of this.#routes) {
      if ((methods?.has(method) ?? true) && (hosts?.some((host) => isHost(host, url.hostname)) ?? true)) {
        const parts = matchSegments(segments, path.segments);
        if (parts !== undefined) {
          return describe(route, parts, request);
        }
      }
    }
    return undefined;
  }
}

function compile(route: Route, at: string): CompiledRoute {
  const { path, methods, hosts, resource, action } = record(route, at, ROUTE) as unknown as Route;
  const segments = compilePath(path, `${at}.path`);
  const names = new Set(
    segments.flatMap((segment) => ("name" in segment ? [segment.name] : "rest" in segment ? [segment.rest] : [])),
  );
  if (methods !== undefined) {
    strings(methods, `${at}.methods`, (method) => METHOD.test(method), "method, in capitals");
  }
  if (hosts !== undefined) {
    strings(
      hosts,
      `${at}.hosts`,
      (host) => /^(\*\.)?[a-z0-9.-]+$/.test(host),
      "host, in small letters and without port",
    );
  }
  checkResource(resource, `${at}.resource`, names);
  checkAction(action, methods, `${at}.action`);
  return { route, segments, methods: methods && new Set(methods), hosts };
}

function compilePath(path: unknown, at: string): Segment[] {
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw new OptionsError(at, 'must be a path that begins with "/"');
  }
  const parts = path === "/" ? [] : path.slice(1).split("/");
  const segments = parts.map((part, index): Segment => {
    const [, name, rest] = /^\{(\w+)(\*?)\}$/.exec(part) ?? [];
    if (name !== undefined && rest === "*" && index === parts.length - 1) {
      return { rest: name };
    }
    if (name !== undefined && rest === "") {
      return { name };
    }
    if (part === "" || /[{}*%?#\\;]/.test(part) || part === "." || part === "..") {
      throw new OptionsError(
        at,
        `has the segment ${JSON.stringify(part)}: write it plainly, as {name}, or at the end as {name*}`,
      );
    }
    return { literal: part };
  });
  const names = segments.flatMap((segment) => ("literal" in segment ? [] : Object.values(segment)));
  if (new Set(names).size < names.length) {
    throw new OptionsError(at, "gives one name to two segments");
  }
  return segments;
}

function checkResource(resource: unknown, at: string, names: ReadonlySet<string>): void {
  const { kind, id, scope, policyVersion, attr } = record(resource, at, RESOURCE);
  if (typeof kind !== "string" || kind === "" || kind.includes("{")) {
    throw new OptionsError(`${at}.kind`, "must be the kind of the resource");
  }
  for (const [name, template] of Object.entries({ id, scope, policyVersion })) {
    if (template !== undefined) {
      checkTemplate(template, `${at}.${name}`, names);
    }
  }
  for (const [name, value] of Object.entries(attr === undefined ? {} : record(attr, `${at}.attr`))) {
    const path = `${at}.attr.${name}`;
    if (typeof value === "string") {
      checkTemplate(value, path, names);
    } else {
      const source = record(value, path, ["header", "query"]);
      const given = Object.values(source);
      if (given.length !== 1 || typeof given[0] !== "string" || given[0] === "") {
        throw new OptionsError(path, "must be a text, { header: name } or { query: name }");
      }
      if (typeof source["header"] === "string" && namesIdentity(source["header"].toLowerCase())) {
        throw new OptionsError(`${path}.header`, "must be no header by which a client could name itself");
      }
    }
  }
}

function checkTemplate(template: unknown, at: string, names: ReadonlySet<string>): void {
  if (typeof template !== "string") {
    throw new OptionsError(at, "must be a text");
  }
  for (const [, name = ""] of template.matchAll(/\{([^}]*)\}/g)) {
    if (!names.has(name)) {
      throw new OptionsError(at, `names {${name}}, which is no part of the path`);
    }
  }
}

function checkAction(action: unknown, methods: readonly string[] | undefined, at: string): void {
  if (typeof action === "string" && action !== "") {
    return;
  }
  if (
    !isRecord(action) ||
    !Object.entries(action).every(([method, name]) => METHOD.test(method) && typeof name === "string" && name !== "")
  ) {
    throw new OptionsError(at, "must be the name of an action, or an object from method to action");
  }
  const missing = methods?.find((method) => !Object.hasOwn(action, method));
  if (missing !== undefined) {
    throw new OptionsError(at, `has no action for ${missing}`);
  }
}

function strings(list: unknown, at: string, is: (text: string) => boolean, what: string): void {
  if (!Array.isArray(list) || list.length === 0 || !list.every((text) => typeof text === "string" && is(text))) {
    throw new OptionsError(at, `must be a list, each a ${what}`);
  }
}

function record(value: unknown, at: string, known?: readonly string[]): Record<string, unknown> {
  if (!isRecord(value)) {
    throw new OptionsError(at, "must be an object");
  }
  const unknown = known && Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(`${at}.${unknown}`, unknownOption(unknown, [...(known ?? [])]));
  }
  return value;
}

/** Compares like the order in which routes are tried: exact segments first, then names, then the rest, then what ends. */
function rank({ segments }: CompiledRoute): string {
  const parts = segments.map((segment) =>
    "literal" in segment ? `0${segment.literal}` : "name" in segment ? "1" : "2",
  );
  return `${parts.join("\u0001")}\u0001`;
}

/** Which of two routes counts would depend on their order. */
function refuseRivals(routes: readonly CompiledRoute[], path: string): void {
  const alike = new Map<string, CompiledRoute[]>();
  for (const [index, route] of routes.entries()) {
    const earlier = alike.get(rank(route)) ?? [];
    const rival = earlier.find((other) => areRivals(other, route));
    if (rival !== undefined) {
      throw new OptionsError(
        `${path}[${index}]`,
        `stands for the same requests as ${rival.route.path}: give both their methods or hosts`,
      );
    }
    alike.set(rank(route), [...earlier, route]);
  }
}

function areRivals(one: CompiledRoute, other: CompiledRoute): boolean {
  return (
    meet(one.methods, other.methods, (left, right) => left === right) &&
    meet(one.hosts, other.hosts, (left, right) => isHost(left, right) || isHost(right, left))
  );
}

function meet(
  one: Iterable<string> | undefined,
  other: Iterable<string> | undefined,
  isSame: (left: string, right: string) => boolean,
): boolean {
  return (
    one === undefined || other === undefined || [...one].some((left) => [...other].some((right) => isSame(left, right)))
  );
}

function isHost(pattern: string, hostname: string): boolean {
  return pattern.startsWith("*.") ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

function matchSegments(segments: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const parts: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    if ("rest" in segment) {
      parts[segment.rest] = path.slice(index).join("/");
      return parts;
    }
    const given = path[index];
    if (given === undefined || ("literal" in segment && segment.literal !== given)) {
      return undefined;
    }
    if ("name" in segment) {
      parts[segment.name] = given;
    }
  }
  return path.length === segments.length ? parts : undefined;
}

/** Of a parameter of the query as many as there are: which of several counts is for each reader to say. */
function valuesOf(
  source: RouteAttribute,
  fill: (template: string) => string,
  { headers, url }: { headers: Headers; url: URL },
): string[] {
  if (typeof source === "string") {
    return [fill(source)];
  }
  if ("query" in source) {
    return url.searchParams.getAll(source.query);
  }
  const value = headers.get(source.header);
  return value === null ? [] : [value];
}

function describe(
  route: Route,
  parts: Record<string, string>,
  request: { method: string; url: URL; path: NormalPath; headers: Headers },
): RouteMatch | undefined {
  const fill = (template: string) => template.replace(/\{(\w+)\}/g, (_, name: string) => parts[name] ?? "");
  const { kind, id, scope, policyVersion, attr = {} } = route.resource;
  const { method } = request;
  const action =
    typeof route.action === "string"
      ? route.action.replace("{method}", () => method.toLowerCase())
      : Object.hasOwn(route.action, method)
        ? route.action[method]
        : undefined;
  if (action === undefined) {
    return undefined;
  }
  const attributes: Record<string, Value> = {};
  for (const [name, source] of Object.entries(attr)) {
    const values = valuesOf(source, fill, request);
    if (values.length > 1) {
      return undefined;
    }
    // What is not said is no attribute, and not an empty one.
    if (values[0] !== undefined) {
      attributes[name] = values[0];
    }
  }
  const resource: Resource = {
    kind,
    id: (id === undefined ? "" : fill(id)) || request.path.text,
    attr: attributes,
    ...(scope === undefined ? {} : { scope: fill(scope) }),
    ...(policyVersion === undefined ? {} : { policyVersion: fill(policyVersion) }),
  };
  return { route: route.path, resource, action };
}
