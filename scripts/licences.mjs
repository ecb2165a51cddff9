/** Checks that every crate in the addon has a licence that an Apache-2.0 package may carry. */

import { pathToFileURL } from "node:url";
import { output } from "./lib/project.mjs";

const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "Apache-2.0 WITH LLVM-exception",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSL-1.0",
  "CC0-1.0",
  "CDLA-Permissive-2.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0",
  "Unicode-3.0",
  "Unlicense",
  "Zlib",
]);

/** Whether an SPDX expression can be satisfied by allowed licences. */
export function isAllowed(expression) {
  // The slash is how older crates write OR.
  const tokens = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g) ?? [];
  let next = 0;
  const either = () => {
    let result = both();
    while (tokens[next] === "OR") {
      next++;
      result = both() || result;
    }
    return result;
  };
  const both = () => {
    let result = one();
    while (tokens[next] === "AND") {
      next++;
      result = one() && result;
    }
    return result;
  };
  const one = () => {
    if (tokens[next] === "(") {
      next++;
      const result = either();
      next++;
      return result;
    }
    let name = tokens[next++];
    if (tokens[next] === "WITH") {
      name += ` WITH ${tokens[next + 1]}`;
      next += 2;
    }
    return ALLOWED.has(name);
  };
  return tokens.length > 0 && either() && next === tokens.length;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { packages } = JSON.parse(await output("cargo", ["metadata", "--format-version", "1", "--locked"]));
  const refused = packages.filter(({ license }) => !isAllowed(license ?? ""));
  for (const { name, version, license } of refused) {
    console.error(`${name} ${version}: ${license ?? "no licence"}`);
  }
  console.log(`${packages.length - refused.length} of ${packages.length} crates have an allowed licence`);
  process.exitCode = refused.length === 0 ? 0 : 1;
}
