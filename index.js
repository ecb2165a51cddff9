"use strict";

// For tools that do not read `exports` in package.json.
module.exports = require("./dist/index.js");
