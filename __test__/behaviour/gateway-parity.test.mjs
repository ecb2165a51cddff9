/** The cases that hold the crate of the gateway (`crates/gateway/tests/parity.rs`) hold the TypeScript that does the same. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { principalFromClerk } from "orthrus/clerk";
import { normalizePath, principalFromClaims, Routes } from "orthrus/workers";
import { principalFromWorkOS } from "orthrus/workos";

// It is no part of what is exported.
const { default: workers } = await import("../../dist/workers/identity.js");

const file = new URL("../../crates/gateway/tests/parity.json", import.meta.url);
const { headers, paths, longPaths, tables, claims } = JSON.parse(readFileSync(file, "utf8"));

describe("headers by which a client could name itself", () => {
  const { withoutIdentity } = workers;
  for (const { name, identity } of headers) {
    test(name, () => assert.equal(withoutIdentity(new Headers({ [name]: "x" }), []).has(name), !identity));
  }
});

describe("paths", () => {
  for (const { path, ...expected } of paths) {
    test(JSON.stringify(path), () => {
      const normal = normalizePath(path);
      assert.deepEqual(typeof normal === "string" ? { refused: normal } : normal, expected);
    });
  }

  for (const { letter, letters, refused } of longPaths) {
    test(`${letters} ${letter}`, () => {
      const normal = normalizePath(`/${letter.repeat(letters)}`);
      assert.equal(typeof normal === "string" ? normal : undefined, refused);
    });
  }
});

/** What a route makes of a request, without what it does not give. */
function matching(routes, { method, host = "localhost", path, query, headers = {} }) {
  const url = new URL(`https://${host}${query === undefined ? "" : `/?${query}`}`);
  const match = routes.match({ method, url, path: normalizePath(path), headers: new Headers(headers) });
  if (match === undefined) {
    return null;
  }
  const { route, action, resource } = match;
  const { attr, ...rest } = resource;
  return { route, action, ...rest, ...(Object.keys(attr).length === 0 ? {} : { attr }) };
}

const MAPPERS = { standard: principalFromClaims, clerk: principalFromClerk, workos: principalFromWorkOS };

describe("principals of claims", () => {
  for (const { name, mapping, claims: given, principal, refused } of claims) {
    const { provider, ...options } = mapping;
    test(name, () => {
      const map = () => MAPPERS[provider](given, options);
      return refused ? assert.throws(map, refused) : assert.deepEqual(map(), principal);
    });
  }
});

describe("tables of routes", () => {
  for (const { name, routes, requests, refused } of tables) {
    test(name, () => {
      if (refused) {
        assert.throws(() => new Routes(routes), { code: "OPTIONS_INVALID" });
        return;
      }
      const table = new Routes(routes);
      for (const { match, ...request } of requests) {
        assert.deepEqual(matching(table, request), match, JSON.stringify(request));
      }
    });
  }
});
