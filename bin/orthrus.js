#!/usr/bin/env node
"use strict";

async function main([verb, ...rest]) {
  // It keeps keys and policies up to date by JavaScript; the other verbs are the addon's alone.
  if (verb === "server") {
    return require("../dist/server/command.js").runServer(rest);
  }
  const { loadNative } = require("../dist/engine/addon.js");
  return loadNative().cli(process.argv.slice(2));
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(`orthrus: error: ${error.message}`);
    process.exitCode = 1;
  },
);
