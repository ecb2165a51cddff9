import { OptionsError } from "./errors.js";

/** A span of time: a number of seconds, or text as in Cerbos' configuration, such as `"30s"`, `"1h30m"` or `"500ms"`. */
export type Duration = number | string;

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds; `fallback` (milliseconds) where there is none. Throws an `OptionsError`. */
export function milliseconds(duration: unknown, path: string, fallback: number): number {
  if (duration === undefined) {
    return fallback;
  }
  if (typeof duration === "number" && duration >= 0 && Number.isFinite(duration)) {
    return duration * 1000;
  }
  if (typeof duration === "string" && /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(duration)) {
    const parts = [...duration.matchAll(/([\d.]+)(ms|s|m|h)/g)];
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (MILLISECONDS[unit ?? ""] ?? 0), 0);
  }
  throw new OptionsError(path, 'must be a duration: a number of seconds that is not negative, or text such as "1h30m"');
}
