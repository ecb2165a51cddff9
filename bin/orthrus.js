#!/usr/bin/env node
"use strict";

const { version } = require("../package.json");

const HELP = `orthrus ${version}: decides Cerbos policies inside your Node.js process

Usage: orthrus [options]

Options:
  -h, --help     print this help
  -v, --version  print the version
`;

const [argument] = process.argv.slice(2);
switch (argument) {
  case "-v":
  case "--version":
    console.log(version);
    break;
  case undefined:
  case "-h":
  case "--help":
    process.stdout.write(HELP);
    break;
  default:
    console.error(`orthrus: unknown argument ${argument}\n\n${HELP}`);
    // The exit code that cerbos has for wrong arguments.
    process.exitCode = 2;
}
