import { unknownName } from "./nearest.js";

/** What to say of an option that does not exist. */
export function unknownOption(name: string, known: readonly string[]): string {
  return `there is no such option; ${unknownName(name, known)}`;
}
