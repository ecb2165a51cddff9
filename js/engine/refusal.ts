/** Why something that a program hands over cannot be encoded, and where in it the reason stands. */

import type { RequestErrorCode } from "../errors.js";

/** How deep lists and maps may nest in one attribute. */
export const MAX_DEPTH = 64;

/** Why something cannot be encoded. The path is put together while the call stack unwinds, so that success costs nothing. */
export class Refusal {
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

export function refuse(problem: string): never {
  throw new Refusal("REQUEST_INVALID", problem);
}

/** The refusal with one more segment before its path. Whatever a getter or `toJSON` threw is a refusal too. */
export function within(error: unknown, segment: string | number, container?: object): Refusal {
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

export const TOO_DEEP = `is nested deeper than ${MAX_DEPTH} levels`;

/** What is refused, where, and why. */
export interface Complaint {
  code: RequestErrorCode;
  path: string;
  problem: string;
  cause: unknown;
}

export function complaint(refusal: Refusal): Complaint {
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
