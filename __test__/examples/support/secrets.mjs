/** What must never reach a browser: the texts of the policies, and the keys of the application. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "../../../scripts/lib/project.mjs";

const NAMED = /^\s*(?:- )?(?:name|expr): *(.+)$/gm;

/** Names and expressions of the sample policies that no page would use by itself. */
export function policyTexts() {
  const folder = inRoot("policies");
  const files = ["derived_roles", "exports", "principals", "resources"].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
  const found = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(NAMED)].map(([, text]) => text));
  // A short one, such as "V.expired", could be in minified code by accident.
  const own = found.filter((text) => /[\s_-]/.test(text) && text.length > 8);
  return [...new Set([...own, "EFFECT_ALLOW", "resourcePolicy", "derivedRoles"])];
}

/** The values of an environment that are secret, in the forms in which they could be found in a text. */
export function secretsOf(env) {
  const secret = Object.entries(env).filter(([name]) => /(SECRET|JWT_KEY|API_KEY|PASSWORD)/.test(name));
  return secret.flatMap(([, value]) => [value, JSON.stringify(value).slice(1, -1)]);
}

/** Which of the texts are in one of the bodies, as "TEXT in NAME". */
export function leaks(bodies, texts) {
  return [...bodies].flatMap(([name, body]) =>
    texts.filter((text) => body.includes(text)).map((text) => `${text} in ${name}`),
  );
}
