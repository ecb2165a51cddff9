/** `examples/next-clerk`: Next.js with the real SDK of Clerk, on tokens that are signed by a key of our own. */

import { clerkAttacks } from "./support/clerk-attacks.mjs";
import { describeWorkspace } from "./support/suite.mjs";

describeWorkspace("next-clerk", clerkAttacks);
