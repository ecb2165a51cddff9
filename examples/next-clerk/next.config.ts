import { join } from "node:path";
import { withOrthrus } from "orthrus/next";

export default withOrthrus(
  // The policies, and what the examples share, are outside of this folder.
  { turbopack: { root: join(import.meta.dirname, "../..") } },
  { policies: "../../policies" },
);
