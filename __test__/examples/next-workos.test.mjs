/** `examples/next-workos`: Next.js with the real AuthKit of WorkOS, on an API that we play, with a key of our own. */

import { describeWorkspace } from "./support/suite.mjs";
import { workosAttacks } from "./support/workos-attacks.mjs";

const PATH = "/api/documents/handbook";

describeWorkspace("next-workos", (context) =>
  workosAttacks(context, { paths: [PATH, "/documents/handbook"], spoofable: ["/documents", PATH] }),
);
