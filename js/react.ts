"use client";

/** Decisions in React components. They are made on the server; here they are looked up. */

import { createContext, createElement, Fragment, type ReactElement, type ReactNode, useContext, useMemo } from "react";
import type { ResourceSearch } from "./engine/request.js";
import type { Decisions, ResourceDecisions } from "./guards/decisions.js";

export type { Decisions, ResourceDecisions } from "./guards/decisions.js";

/** A question about a decision. */
export interface DecisionSearch {
  /** As the server named it. Without `policyVersion` or `scope` all resources of the kind and id are meant. */
  resource: ResourceSearch;
  action: string;
}

/** Decisions, those of the nearest provider first; `undefined` outside of any. */
const AuthzContext = createContext<readonly Decisions[] | undefined>(undefined);

/** Props of {@link AuthzProvider}. */
export interface AuthzProviderProps {
  /** What `snapshot` of `orthrus/next`, `orthrus/react-router` or `orthrus` has made on the server. */
  decisions: Decisions;
  children?: ReactNode;
}

/**
 * Gives decisions to the components below. Providers nest: what an inner one does not know is looked up in the outer one.
 *
 * The browser can change what it holds: use decisions to show and hide, and guard the server.
 */
export function AuthzProvider({ decisions, children }: AuthzProviderProps): ReactElement {
  if (!Array.isArray(decisions)) {
    throw new TypeError("decisions must be the list that snapshot promises: await it on the server");
  }
  const outer = useContext(AuthzContext);
  const value = useMemo(() => [decisions, ...(outer ?? [])], [decisions, outer]);
  return createElement(AuthzContext.Provider, { value }, children);
}

/**
 * Whether an action is allowed. What the server has not decided counts as denied; in development the console then names what is
 * missing.
 */
export function useIsAllowed({ resource, action }: DecisionSearch): boolean {
  const layers = useContext(AuthzContext);
  const decided = layers?.map((layer) => lookUp(layer, resource, action)).find((allowed) => allowed !== undefined);
  if (decided === undefined) {
    warn(layers === undefined, resource, action);
  }
  return decided ?? false;
}

/** Props of {@link Can}. */
export interface CanProps extends DecisionSearch {
  /** Shown if the action is allowed. */
  children?: ReactNode;
  /** Shown if it is not. Default: nothing. */
  fallback?: ReactNode;
}

/** Shows its children if an action is allowed: `<Can resource={document} action="edit"><EditButton /></Can>`. */
export function Can({ resource, action, children, fallback }: CanProps): ReactElement {
  return createElement(Fragment, null, useIsAllowed({ resource, action }) ? children : fallback);
}

/** `undefined` if it was not decided. Where several resources match, each must allow it. */
function lookUp(decisions: Decisions, resource: ResourceSearch, action: string): boolean | undefined {
  const decided = (indexOf(decisions).get(keyOf(resource)) ?? [])
    .filter((decision) => matches(decision.resource, resource) && Object.hasOwn(decision.actions, action))
    .map(({ actions }) => actions[action] === true);
  return decided.length === 0 ? undefined : decided.every(Boolean);
}

/** By kind and id: a table of a thousand rows asks a thousand times. */
const indexes = new WeakMap<Decisions, Map<string, ResourceDecisions[]>>();

function indexOf(decisions: Decisions): Map<string, ResourceDecisions[]> {
  let index = indexes.get(decisions);
  if (index === undefined) {
    index = new Map();
    for (const decision of decisions) {
      const key = keyOf(decision.resource);
      index.set(key, [...(index.get(key) ?? []), decision]);
    }
    indexes.set(decisions, index);
  }
  return index;
}

/** Not unique, only fast: what it finds is compared again. */
function keyOf({ kind, id }: ResourceSearch): string {
  return `${kind} ${id}`;
}

function matches(resource: ResourceDecisions["resource"], search: ResourceSearch): boolean {
  return (
    resource.kind === search.kind &&
    resource.id === search.id &&
    (search.policyVersion === undefined || (resource.policyVersion ?? "") === search.policyVersion) &&
    (search.scope === undefined || (resource.scope ?? "") === search.scope)
  );
}

/** What has been warned of, so that a component that renders often says it once. */
const warned = new Set<string>();

function warn(isOutside: boolean, { kind, id }: ResourceSearch, action: string): void {
  const message = isOutside
    ? `orthrus: "${action}" on ${kind} ${id} was asked for outside of <AuthzProvider>, and counts as denied`
    : `orthrus: "${action}" on ${kind} ${id} is not among the decisions of <AuthzProvider>, and counts as denied: add it to the snapshot`;
  if (isDevelopment() && !warned.has(message)) {
    warned.add(message);
    console.warn(message);
  }
}

/** Bundlers put the value in; where none has, there may be no `process`. */
function isDevelopment(): boolean {
  try {
    return process.env["NODE_ENV"] !== "production";
  } catch {
    return false;
  }
}
