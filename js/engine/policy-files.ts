import { OptionsError } from "../errors.js";

/** The texts of policies by path, as the addon takes them. Throws an `OptionsError`. */
export function encodeFiles(files: Record<string, string>): string {
  if (typeof files !== "object" || files === null || Array.isArray(files)) {
    throw new OptionsError("files", "must be an object from path to text");
  }
  for (const [path, text] of Object.entries(files)) {
    if (typeof text !== "string") {
      throw new OptionsError(`files[${JSON.stringify(path)}]`, "must be the text of the file");
    }
  }
  return JSON.stringify(files);
}
