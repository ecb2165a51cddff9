/** Whether the addon of this platform is built: tests of real decisions need it. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { currentPlatform } = createRequire(import.meta.url)("../../dist/engine/addon.js");

export const PLATFORM = currentPlatform();

/** The addon file in the checkout. */
export const ADDON = fileURLToPath(new URL(`../../orthrus.${PLATFORM}.node`, import.meta.url));

/** Why tests on the addon cannot run; `false` if they can. In CI they must, and fail by themselves. */
export const skip = existsSync(ADDON) || process.env.CI ? false : `SKIPPED: there is no ${ADDON} (npm run build)`;
