import { pathOf } from "#platform";
import { OptionsError } from "../errors.js";

/** The path of a directory, archive or file that a caller names by an option or argument. Throws an `OptionsError`. */
export function storePath(dir: string | URL, option = "dir", what = "a directory or archive"): string {
  if (dir instanceof URL && dir.protocol === "file:") {
    return pathOf(dir);
  }
  if (typeof dir !== "string" || dir === "") {
    throw new OptionsError(option, `must be the path or file: URL of ${what}`);
  }
  return dir;
}
