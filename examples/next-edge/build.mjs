/** The policies as a module: an edge function has no files, and what is bundled with it needs no request. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeBundle } from "orthrus";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const bundle = Buffer.from(await makeBundle(here("../../policies"))).toString("base64");
writeFileSync(here("lib/policies.generated.ts"), `export default ${JSON.stringify(bundle)};\n`);
