#!/usr/bin/env node
"use strict";

const { loadNative } = require("../dist/engine/addon.js");

async function main() {
  process.exitCode = await loadNative().cli(process.argv.slice(2));
}

main().catch((error) => {
  console.error(`orthrus: error: ${error.message}`);
  process.exitCode = 1;
});
