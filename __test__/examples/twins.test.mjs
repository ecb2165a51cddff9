/** The applications of Next.js differ in how people sign in, and in nothing else. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exampleFolder } from "../../scripts/lib/examples.mjs";

/** What depends on the provider. */
const OWN = ["app/callback/route.ts", "app/layout.tsx", "app/sign-in/route.ts", "lib/authz.ts"];

/** The sources of an example, from path to text. */
function sources(name) {
  const root = exampleFolder(name);
  const files = ["app", "lib"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const relative = (file) => file.slice(root.length + 1).replaceAll("\\", "/");
  const entries = files.map((file) => [relative(file), readFileSync(file, "utf8")]);
  return Object.fromEntries(entries.filter(([path]) => !OWN.includes(path)));
}

test("next-clerk and next-workos have the same pages, actions and handlers", () => {
  const clerk = sources("next-clerk");
  assert.ok(Object.keys(clerk).length > 10);
  assert.deepEqual(sources("next-workos"), clerk);
});
