/** `examples/react-router-clerk`: React Router with the real SDK of Clerk, on tokens that are signed by a key of our own. */

import { clerkAttacks } from "./support/clerk-attacks.mjs";
import { reactRouter } from "./support/frameworks.mjs";
import { describeWorkspace } from "./support/suite.mjs";

describeWorkspace("react-router-clerk", clerkAttacks, reactRouter);
