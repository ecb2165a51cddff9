/** What the tests of the audit log share: an engine's calls, and the files of lines. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A folder of this test file alone. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-audit-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The values in a file of lines of JSON. */
export function linesOf(file) {
  const lines = readFileSync(file, "utf8").split("\n");
  if (lines.pop() !== "") {
    throw new Error(`the last line of ${file} has no end`);
  }
  return lines.map((line) => JSON.parse(line));
}

/** The values in all files of a folder, in the order of their names, with the file that is written to last. */
export function linesIn(folder, current) {
  const old = readdirSync(folder).filter((name) => name !== current);
  return [...old.sort(), current].flatMap((name) => linesOf(join(folder, name)));
}

/** What `onDecision` is told of one call on one resource. */
export function entry({ principal = {}, resource = {}, auxData, outputs, effect = "EFFECT_ALLOW", ...rest } = {}) {
  const defaults = { attr: {}, policyVersion: "", scope: "" };
  return {
    callId: "01M8BS86649VT2W90FEMJY5MHR",
    timestamp: new Date("2026-01-02T03:04:05Z"),
    peer: { address: "", authInfo: "", userAgent: "", forwardedFor: "" },
    metadata: {},
    auditTrail: { effectivePolicies: {} },
    method: {
      name: "CheckResources",
      inputs: [
        {
          requestId: "r-1",
          principal: { ...defaults, id: "ann", roles: ["user"], ...principal },
          resource: { ...defaults, kind: "document", id: "7", ...resource },
          actions: ["view"],
          auxData,
        },
      ],
      outputs: outputs ?? [
        {
          requestId: "r-1",
          resourceId: "7",
          actions: { view: { effect, policy: "resource.document.vdefault", scope: "" } },
          effectiveDerivedRoles: [],
          validationErrors: [],
          outputs: [],
          evaluationErrors: [],
        },
      ],
      error: undefined,
    },
    oversized: false,
    policySource: undefined,
    requestContext: undefined,
    ...rest,
  };
}
