/** The real PDP and our server on the same policies, for tests that ask both. */

import { join } from "node:path";
import { CONFORMANCE, hasCorpus, pdpBinary, startPdp, startServer } from "./support.mjs";

export const STORE = join(CONFORMANCE, "store");

/** Verifies the tokens of the corpora. */
export const JWT = { keySets: [{ id: "cerbos", local: { file: join(CONFORMANCE, "auxdata/keys/verify_key.jwk") } }] };

/** Why there is nobody to compare with; `false` if there is. */
export const skip = hasCorpus && pdpBinary !== undefined ? false : "SKIPPED: the corpora or the PDP are not here";

/** What `before` and `after` of a suite have in place of the context of a test: `t` to start by, `end` to end all. */
export function lifetime() {
  const cleanups = [];
  const t = { after: (clean) => cleanups.push(clean) };
  const end = async () => {
    for (const clean of cleanups.reverse()) {
      await clean();
    }
  };
  return { t, end };
}

/** Starts both on a directory; `config` are the keys that both know. They cannot write one file: `oursAudit` is the log of ours. */
export async function startBoth(t, directory, { schema, engine = {}, oursAudit, ...config } = {}) {
  const pdp = await startPdp(t, {
    ...config,
    engine,
    storage: { driver: "disk", disk: { directory } },
    ...(schema === undefined ? {} : { schema: { enforcement: schema } }),
  });
  const options = schema === undefined ? engine : { ...engine, schemaEnforcement: schema };
  const ours = await startServer(t, directory, {
    ...config,
    engine: options,
    ...(oursAudit && { audit: oursAudit }),
  });
  return { pdp, ours };
}

/** A message without what is another in each answer, and with sets in one order. */
export function comparable(value, key) {
  if (Array.isArray(value)) {
    const list = value.map((item) => comparable(item));
    const isSet = ["effectiveDerivedRoles", "outputs", "validationErrors", "violations"].includes(key);
    return isSet ? list.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)) : list;
  }
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value).filter(([name]) => name !== "cerbosCallId");
    return Object.fromEntries(fields.sort().map(([name, item]) => [name, comparable(item, name)]));
  }
  // Lines about the entries of a map come in any order from the PDP.
  return key === "message" && value.includes("\n - ") ? value.split("\n - ").sort().join("\n - ") : value;
}
