import { OptionsError } from "./errors.js";
import { unknownName } from "./nearest.js";

/** What to say of an option that does not exist. */
export function unknownOption(name: string, known: readonly string[]): string {
  return `there is no such option; ${unknownName(name, known)}`;
}

/** An object of options, which stands at a path (empty for the options as a whole). Throws an `OptionsError`. */
export function optionsOf(options: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new OptionsError(path, path === "" ? "the options must be an object" : "must be an object");
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(path === "" ? unknown : `${path}.${unknown}`, unknownOption(unknown, known));
  }
  return options as Record<string, unknown>;
}
