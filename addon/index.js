"use strict";

/**
 * Loads binaries. This file stays out of bundles (`withOrthrus` of `orthrus/next` names it an external package, by this very path):
 * bundlers cannot pack an addon, while file tracers find it by the names below. Internal: not part of the interface.
 */

const { join } = require("node:path");

/** The folder of the package. */
exports.PACKAGE_ROOT = join(__dirname, "..");

/** Loads the addon in a file. */
exports.requireFile = (path) => require(path);

/** Loads the addon of a platform's package; `undefined` where there is none. Each name is written out, so that tracers see it. */
exports.requirePackage = (platform) => {
  switch (platform) {
    case "darwin-arm64":
      return require("orthrus-darwin-arm64");
    case "darwin-x64":
      return require("orthrus-darwin-x64");
    case "linux-arm64-gnu":
      return require("orthrus-linux-arm64-gnu");
    case "linux-arm64-musl":
      return require("orthrus-linux-arm64-musl");
    case "linux-x64-gnu":
      return require("orthrus-linux-x64-gnu");
    case "linux-x64-musl":
      return require("orthrus-linux-x64-musl");
    case "win32-arm64-msvc":
      return require("orthrus-win32-arm64-msvc");
    case "win32-x64-msvc":
      return require("orthrus-win32-x64-msvc");
    default:
      return undefined;
  }
};
