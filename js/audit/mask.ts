import type { Value } from "../engine/request.js";
import { EVERY, type Step } from "./mask-path.js";

/** What stands in the place of a value that must not be shown. */
export const MASKED = "[MASKED]";

/** The same with what a path names masked. What is on the way there is copied: nothing is changed for anybody else. */
export function masked(value: Value, path: readonly Step[]): Value {
  const [step, ...rest] = path;
  if (step === undefined) {
    return MASKED;
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => (step === EVERY || step === index ? masked(item, rest) : item));
  }
  const members = Object.entries(value);
  return Object.fromEntries(
    members.map(([name, member]) => [name, step === EVERY || step === name ? masked(member, rest) : member]),
  );
}
