/** Options of a verifier: each row is one mistake, with the path that the error names. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import "../support/engine.mjs";

const require = createRequire(import.meta.url);
const { checkJwtOptions } = require("../../dist/tokens/jwt-options.js");
const { milliseconds, timeout } = require("../../dist/tokens/duration.js");
const { lifetime } = require("../../dist/tokens/jwks.js");

const LOCAL = { id: "ks", local: { jwks: { keys: [] } } };
const remote = (url, more) => ({ id: "ks", remote: { url, ...more } });

describe("options of a verifier are refused when", () => {
  const rows = [
    ["they are no object", undefined, "", /object/],
    ["an option is unknown", { keySet: [LOCAL] }, "keySet", /did you mean keySets\?/],
    ["there are no key sets", {}, "keySets", /without keys/],
    ["keySets is no list", { keySets: LOCAL }, "keySets", /list/],
    ["a key set has no id", { keySets: [{ ...LOCAL, id: "" }] }, "keySets[0].id", /string/],
    ["two key sets have one id", { keySets: [LOCAL, LOCAL] }, "keySets[1].id", /another key set "ks"/],
    ["a key set has no keys", { keySets: [{ id: "ks" }] }, "keySets[0]", /either remote or local/],
    [
      "a key set has both",
      { keySets: [{ ...LOCAL, ...remote("https://x.test") }] },
      "keySets[0]",
      /either remote or local/,
    ],
    [
      "an option of a key set is unknown",
      { keySets: [{ ...LOCAL, audiences: [] }] },
      "keySets[0].audiences",
      /audience\?/,
    ],
    ["the URL is none", { keySets: [remote("jwks")] }, "keySets[0].remote.url", /URL/],
    ["the URL is http", { keySets: [remote("http://issuer.test/jwks")] }, "keySets[0].remote.url", /https:/],
    [
      "the URL only looks like this machine",
      { keySets: [remote("http://127.0.0.1.evil.test/")] },
      "keySets[0].remote.url",
      /https:/,
    ],
    ...["http://localhost.evil.test", "http://localhost@evil.test", "http://[::ffff:1.2.3.4]", "http://0.0.0.0"].map(
      (url) => [
        `the URL only looks like this machine: ${url}`,
        { keySets: [remote(url)] },
        "keySets[0].remote.url",
        /./,
      ],
    ),
    ...[0, "597h", 1e300].map((span) => [
      `no timer can wait for ${span}`,
      { keySets: [remote("https://x.test", { timeout: span })] },
      "keySets[0].remote.timeout",
      /24 days|duration/,
    ]),
    [
      "no timer can wait as long for a revocation list",
      { keySets: [LOCAL], revocation: { list: { isRevoked() {} }, timeout: "597h" } },
      "revocation.timeout",
      /24 days/,
    ],
    ["the URL is a file", { keySets: [remote("file:///etc/passwd")] }, "keySets[0].remote.url", /https:/],
    [
      "the URL holds a password",
      { keySets: [remote("https://a:b@issuer.test/")] },
      "keySets[0].remote.url",
      /password/,
    ],
    [
      "an interval is none",
      { keySets: [remote("https://x.test", { refreshInterval: "1 hour" })] },
      "keySets[0].remote.refreshInterval",
      /duration/,
    ],
    ["the skew is negative", { keySets: [LOCAL], acceptableTimeSkew: -1 }, "acceptableTimeSkew", /duration/],
    [
      "an algorithm is unknown",
      { keySets: [{ ...LOCAL, algorithms: ["none"] }] },
      "keySets[0].algorithms",
      /"none" is none of RS256/,
    ],
    ["algorithms are empty", { keySets: [{ ...LOCAL, algorithms: [] }] }, "keySets[0].algorithms", /not be empty/],
    ["the audience is empty", { keySets: [{ ...LOCAL, audience: "" }] }, "keySets[0].audience", /not empty/],
    ["there are no audiences", { keySets: [{ ...LOCAL, audience: [] }] }, "keySets[0].audience", /not be empty/],
    [
      "the issuer is undefined in a list",
      { keySets: [{ ...LOCAL, issuer: [undefined] }] },
      "keySets[0].issuer",
      /strings/,
    ],
    [
      "a secret is published",
      { keySets: [{ ...remote("https://x.test"), algorithms: ["HS256"] }] },
      "keySets[0].algorithms",
      /shared secrets/,
    ],
    ["local has nothing", { keySets: [{ id: "ks", local: {} }] }, "keySets[0].local", /one of file/],
    [
      "local has two sources",
      { keySets: [{ id: "ks", local: { data: "", jwks: {} } }] },
      "keySets[0].local",
      /one of file/,
    ],
    [
      "the file is missing",
      { keySets: [{ id: "ks", local: { file: "nowhere.jwk" } }] },
      "keySets[0].local.file",
      /cannot be read/,
    ],
    ["the data is no base64", { keySets: [{ id: "ks", local: { data: "{}" } }] }, "keySets[0].local.data", /base64/],
    ["pem is a number", { keySets: [{ id: "ks", local: { pem: 1 } }] }, "keySets[0].local.pem", /PEM/],
    ["jwks is text", { keySets: [{ id: "ks", local: { jwks: "{}" } }] }, "keySets[0].local.jwks", /object/],
    [
      "the secret is a number",
      { keySets: [{ id: "ks", local: { secret: 1 } }] },
      "keySets[0].local.secret",
      /string or bytes/,
    ],
    [
      "what is insecure is no flag",
      { keySets: [{ ...LOCAL, insecure: { optionalKid: "yes" } }] },
      "keySets[0].insecure.optionalKid",
      /boolean/,
    ],
    ["the cache has no size", { keySets: [LOCAL], cacheSize: -1 }, "cacheSize", /number/],
    ["the revocation list is none", { keySets: [LOCAL], revocation: {} }, "revocation.list", /isRevoked/],
    [
      "onError is neither",
      { keySets: [LOCAL], revocation: { list: { isRevoked() {} }, onError: "ignore" } },
      "revocation.onError",
      /deny or allow/,
    ],
    ["the clock is none", { keySets: [LOCAL], now: new Date() }, "now", /function/],
  ];
  for (const [name, options, path, message] of rows) {
    test(name, () => {
      for (const prefix of ["", "auxData.jwt"]) {
        const expected = [prefix, path].filter(Boolean).join(".");
        assert.throws(() => checkJwtOptions(options, prefix), { name: "OptionsError", path: expected, message });
      }
    });
  }

  test("and not otherwise", () => {
    for (const url of [
      "https://x.test/jwks",
      new URL("https://x.test"),
      "http://localhost:1/",
      "http://127.0.0.53/",
      "http://[::1]:80/",
    ]) {
      assert.equal(checkJwtOptions({ keySets: [remote(url)] }).keySets[0].keys.url.href, new URL(url).href);
    }
  });
});

test("durations are numbers of seconds, or text as in Cerbos", () => {
  for (const [duration, expected] of [
    [1.5, 1500],
    [0, 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [undefined, 7],
  ]) {
    assert.equal(milliseconds(duration, "x", 7), expected);
  }
  for (const duration of [
    `${"9".repeat(400)}h`,
    1e308,
    "",
    "1",
    "s",
    "1 s",
    "-1s",
    "1d",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
  ]) {
    assert.throws(() => milliseconds(duration, "x", 7), { code: "OPTIONS_INVALID", path: "x" });
  }
});

test("timers wait for whole milliseconds", () => assert.equal(timeout(0.0015, "x", 7), 2));

test("freshness is read from the headers of an answer", () => {
  const date = "Thu, 01 Jan 2026 00:00:00 GMT";
  for (const [headers, expected] of [
    [{}, undefined],
    [{ "cache-control": "public" }, undefined],
    [{ "cache-control": "Public, Max-Age=60" }, 60_000],
    [{ "cache-control": "max-age=60", age: "70" }, 0],
    [{ "cache-control": "max-age=60", age: "x" }, 60_000],
    [{ "cache-control": "s-maxage=9, max-age=60", expires: date }, 60_000],
    [{ "cache-control": "no-cache, max-age=60" }, 0],
    [{ expires: "Thu, 01 Jan 2026 00:01:00 GMT", date }, 60_000],
    [{ expires: date, date }, 0],
    [{ expires: "-1", date }, 0],
  ]) {
    assert.equal(lifetime(new Headers(headers)), expected, JSON.stringify(headers));
  }
});
