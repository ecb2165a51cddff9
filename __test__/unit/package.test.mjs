/** The package as programs see it: the two module systems, the addon loader, the command, the platform packages. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isAllowed } from "../../scripts/licences.mjs";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = require("../../package.json");
const addon = require("../../dist/engine/addon.js");

/** Runs a script with `require` in the checkout; an environment variable that is `undefined` is removed. */
function run(script, env = {}) {
  const merged = Object.fromEntries(
    Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined),
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
    cwd: root,
    env: merged,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** What users import: the exports that have types for `import` and for `require`. */
const ENTRIES = Object.entries(manifest.exports)
  .filter(([, conditions]) => conditions.require !== undefined)
  .map(([path]) => path.replace(/^\./, "orthrus"));

/** The modules outside of the package that a module of it loads, itself or by others of the package. */
function loads(file, seen = new Set()) {
  if (seen.has(file)) {
    return [];
  }
  seen.add(file);
  const code = readFileSync(file, "utf8");
  const names = [...code.matchAll(/\b(?:(?:require|import)\(|from |^import )"([^"]+)"/gm)].map(([, name]) => name);
  const found = names.flatMap((name) =>
    name.startsWith(".") && !name.includes(".wasm") ? loads(join(dirname(file), name), seen) : [name],
  );
  return [...new Set(found)].sort();
}

describe("import and require give the same", () => {
  test("there are entries", () => assert.ok(ENTRIES.length >= 14));
  for (const entry of ENTRIES) {
    test(entry, async () => {
      const imported = await import(entry);
      const required = require(entry);
      assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
      for (const [name, value] of Object.entries(imported)) {
        assert.equal(value, required[name]);
      }
    });
  }

  for (const [error, count] of [
    ["IdentityError", 3],
    ["UndecidedError", 3],
    ["BundleError", 2],
    ["AuditError", 3],
  ]) {
    test(`and one ${error} everywhere`, () => {
      const classes = ["orthrus", ...ENTRIES].map((entry) => require(entry)[error]).filter((one) => one !== undefined);
      assert.ok(classes.length >= count);
      assert.deepEqual([...new Set(classes)], [require("orthrus")[error]]);
    });
  }
});

describe("modules load no more than they need", () => {
  // Browsers and edge runtimes have no `node:` modules, and nobody has all frameworks installed.
  for (const [entry, expected] of [
    ["audit", ["#platform"]],
    ["bundles", ["#platform"]],
    ["clerk", []],
    ["workos", []],
    ["express", []],
    ["fastify", []],
    ["hono", []],
    ["opentelemetry", ["@opentelemetry/api"]],
    ["react-router", []],
    ["next", ["next/navigation", "react"]],
    ["react", ["react"]],
  ]) {
    test(`orthrus/${entry}`, () => assert.deepEqual(loads(join(root, "dist", `${entry}.js`)), expected));
  }

  test("orthrus is seen to load others", () => assert.deepEqual(loads(join(root, "dist", "index.js")), ["#platform"]));
});

describe("what Workers, edges and browsers get", () => {
  const entries = Object.entries(manifest.exports).filter(([, conditions]) => conditions.workerd !== undefined);

  test("is the same by each of their conditions", () => {
    assert.ok(entries.length >= 10);
    for (const [path, conditions] of entries) {
      const names = Object.keys(conditions);
      // The first condition that a runtime knows wins.
      assert.deepEqual(names, ["workerd", "edge-light", "browser", "import", "require"], path);
      assert.deepEqual(conditions["edge-light"], conditions.workerd);
      assert.deepEqual(conditions.browser, conditions.workerd);
    }
  });

  for (const [path, { workerd }] of entries) {
    test(`needs nothing of Node.js: ${path.replace(/^\./, "orthrus")}`, () => {
      // What verifies tokens by WebCrypto, and what is OpenTelemetry's everywhere.
      const others = { "./workers": ["jose"], "./opentelemetry": ["@opentelemetry/api"] };
      const allowed = ["#platform", "#wasm", ...(others[path] ?? [])];
      const found = loads(join(root, workerd.default)).filter((name) => !allowed.includes(name));
      assert.deepEqual(found, []);
    });
    test(`exports the same names: ${path.replace(/^\./, "orthrus")}`, async () => {
      const imported = await import(new URL(`../../${workerd.default}`, import.meta.url));
      assert.deepEqual(Object.keys(imported).sort(), Object.keys(require(path.replace(/^\./, "orthrus"))).sort());
    });
  }

  for (const [condition, file] of Object.entries(manifest.imports["#platform"]).filter(
    ([name]) => name !== "default",
  )) {
    test(`has a platform for ${condition}`, () => {
      const found = loads(join(root, file)).filter((name) => !name.includes("engine.wasm"));
      assert.deepEqual(found, []);
    });
  }
});

test("bundlers see that orthrus/react is a client module", () => {
  // A directive counts only before everything else.
  for (const file of ["react.js", "react.mjs"]) {
    assert.match(readFileSync(join(root, "dist", file), "utf8"), /^(?:"use strict";\n)?"use client";\n/);
  }
});

describe("the addon loader", () => {
  const loading = (setup) => `
    ${setup}
    try { require("orthrus").Orthrus.fromFilesSync({}); console.log(JSON.stringify({ loaded: true })); }
    catch ({ name, code, message, platform }) { console.log(JSON.stringify({ name, code, message, platform })); }`;
  // Files of the checkout are out of the way, so that packages are looked for.
  const elsewhere = `const fs = require("node:fs"); const { existsSync } = fs;
    fs.existsSync = (path) => !String(path).endsWith(".node") && existsSync(path);`;
  const on = (platform, arch) => `${elsewhere}
    Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
    Object.defineProperty(process, "arch", { value: ${JSON.stringify(arch)} });`;
  const installed = { ORTHRUS_NATIVE_PATH: undefined };

  test("takes the file that ORTHRUS_NATIVE_PATH names", () => {
    assert.deepEqual(run(loading(""), { ORTHRUS_NATIVE_PATH: "__test__/support/fake-native.cjs" }), { loaded: true });
  });

  test("says when that file is not there", () => {
    const error = run(loading(""), { ORTHRUS_NATIVE_PATH: "nowhere.node" });
    assert.deepEqual([error.name, error.code], ["BinaryError", "NATIVE_UNAVAILABLE"]);
    assert.match(error.message, /ORTHRUS_NATIVE_PATH names nowhere\.node/);
  });

  for (const platform of addon.PLATFORMS) {
    test(`looks for the package orthrus-${platform}`, () => {
      const [os, arch, abi] = platform.split("-");
      const libc = `const { readFileSync } = fs; fs.readFileSync = (path, ...rest) =>
        path === "/usr/bin/ldd" ? ${JSON.stringify(abi === "musl" ? "musl libc" : "GNU libc")} : readFileSync(path, ...rest);`;
      const error = run(loading(on(os, arch) + libc), installed);
      assert.deepEqual([error.code, error.platform], ["NATIVE_UNAVAILABLE", platform]);
      assert.match(error.message, new RegExp(`orthrus-${platform}, which holds the addon .* is not installed`));
      assert.equal(/Alpine/.test(error.message), abi === "musl");
    });
  }

  test("asks Node for the C library where there is no ldd", () => {
    const without = `const { readFileSync } = fs; fs.readFileSync = (path, ...rest) => {
        if (path === "/usr/bin/ldd") throw new Error("ENOENT");
        return readFileSync(path, ...rest);
      };
      process.report.getReport = () => ({ header: {} });`;
    assert.equal(run(loading(on("linux", "arm64") + without), installed).platform, "linux-arm64-musl");
  });

  test("says what is supported on another platform", () => {
    const error = run(loading(on("freebsd", "x64")), installed);
    assert.equal(error.code, "NATIVE_UNAVAILABLE");
    assert.match(error.message, /no addon for freebsd-x64.*\nSupported: darwin-arm64, /);
  });

  test("says when an installed addon cannot be loaded", () => {
    const broken = `${on("linux", "x64")} const Module = require("node:module"); const { _load } = Module;
      Module._load = (name, ...rest) => { if (name.startsWith("orthrus-")) throw new Error("bad ELF"); return _load(name, ...rest); };`;
    const error = run(loading(broken), installed);
    assert.match(error.message, /is installed, but its addon cannot be loaded: bad ELF\n.*npm rebuild/);
  });
});

describe("platform packages", () => {
  test("are those that the loader knows", () => {
    const folders = readdirSync(new URL("../../npm", import.meta.url)).sort();
    assert.deepEqual(folders, [...addon.PLATFORMS].sort());
  });

  for (const platform of addon.PLATFORMS) {
    test(`orthrus-${platform} has the name, version and file that the loader expects`, () => {
      const own = require(`../../npm/${platform}/package.json`);
      assert.deepEqual(
        [own.name, own.version, own.main],
        [`orthrus-${platform}`, manifest.version, `orthrus.${platform}.node`],
      );
      assert.deepEqual(own.files, [own.main]);
    });
  }

  test("crates have the version of the package", () => {
    const cargo = readFileSync(new URL("../../Cargo.toml", import.meta.url), "utf8");
    assert.match(cargo, new RegExp(`\\[workspace\\.package\\]\\nversion = "${manifest.version}"`));
  });
});

test("the command says when the addon is missing", () => {
  const { status, stderr } = spawnSync(process.execPath, [`${root}/bin/orthrus.js`, "--version"], {
    env: { ...process.env, ORTHRUS_NATIVE_PATH: "nowhere.node" },
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /^orthrus: error: ORTHRUS_NATIVE_PATH names nowhere\.node/);
});

describe("the licence check", () => {
  const allowed = [
    "MIT",
    "MIT OR GPL-3.0",
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "MIT/Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
  ];
  const refused = ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR MIT) AND AGPL-3.0", "MIT)"];
  for (const expression of allowed) {
    test(`allows ${expression}`, () => assert.equal(isAllowed(expression), true));
  }
  for (const expression of refused) {
    test(`refuses ${expression || "nothing"}`, () => assert.equal(isAllowed(expression), false));
  }
});
