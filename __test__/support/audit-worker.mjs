/** A Worker that decides, and answers by the audit log of it. Its modules are those of dist/esm. */

import { auditLog, consoleWriter, ndjsonFile } from "./audit.mjs";
import { Orthrus } from "./index.mjs";

/** What is printed while something is done. */
async function printed(work) {
  const { log } = console;
  const lines = [];
  console.log = (line) => lines.push(line);
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines;
}

function codeOf(call) {
  try {
    return call();
  } catch ({ code }) {
    return code;
  }
}

export default {
  async fetch(request) {
    const { files, mask, asked } = await request.json();
    const onDecision = auditLog({ write: consoleWriter(), mask });
    const lines = await printed(async () => {
      const orthrus = await Orthrus.fromFiles(files, { onDecision });
      await orthrus.checkResources(asked);
    });
    return Response.json({ lines, file: codeOf(() => ndjsonFile("audit.log")) });
  },
};
