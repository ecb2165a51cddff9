/** The policies as a bundle, for the page to fetch. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeBundle } from "orthrus";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

mkdirSync(here("public"), { recursive: true });
writeFileSync(here("public/policies.orb"), await makeBundle(here("../../policies")));
