import { OptionsError } from "../errors.js";

/** A span of time: a number of seconds, or text as in Cerbos' configuration, such as `"30s"`, `"1h30m"` or `"500ms"`. */
export type Duration = number | string;

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest that timers can wait; beyond it they do not wait at all. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** How long to wait for something: whole milliseconds, as timers need them. Throws an `OptionsError`. */
export function timeout(duration: unknown, path: string, fallback: number): number {
  const span = Math.ceil(milliseconds(duration, path, fallback));
  if (span === 0 || span > LONGEST_TIMER) {
    throw new OptionsError(path, "must be more than 0 and at most 24 days");
  }
  return span;
}

/** Milliseconds; `fallback` (milliseconds) where there is none. Throws an `OptionsError`. */
export function milliseconds(duration: unknown, path: string, fallback: number): number {
  const span = duration === undefined ? fallback : spanOf(duration);
  if (Number.isFinite(span) && span >= 0) {
    return span;
  }
  throw new OptionsError(path, 'must be a duration: a number of seconds that is not negative, or text such as "1h30m"');
}

/** `NaN` for what is no duration. */
function spanOf(duration: unknown): number {
  if (typeof duration === "number") {
    return duration * 1000;
  }
  if (typeof duration !== "string" || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(duration)) {
    return Number.NaN;
  }
  const parts = [...duration.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (MILLISECONDS[unit ?? ""] ?? 0), 0);
}
