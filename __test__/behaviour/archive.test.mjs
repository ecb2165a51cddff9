/** An archive in the place of a directory, with the real addon. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { compile, Orthrus } from "orthrus";
import { skip } from "../support/addon.mjs";
import { POLICIES } from "./policies.mjs";

const folder = mkdtempSync(join(tmpdir(), "orthrus-archive-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A tar archive of files by name (POSIX.1-1988, ustar). */
function tar(files) {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const content = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    header.write("ustar\u000000", 257);
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function write(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("an archive", { skip }, () => {
  const archive = write("policies.tar.gz", gzipSync(tar(POLICIES)));

  test("is opened as the directory that it holds", async () => {
    for (const engine of [await Orthrus.open(archive), Orthrus.openSync(pathToFileURL(archive))]) {
      const request = { principal: { id: "ann", roles: ["user"] }, resource: { kind: "document", id: "1" } };
      assert.equal(engine.isAllowedSync({ ...request, action: "view" }), true);
      assert.equal(engine.isAllowedSync({ ...request, action: "delete" }), false);
      engine.close();
    }
  });

  test("is compiled, and may hold the tests", async () => {
    const suite = {
      name: "documents",
      principals: { ann: { id: "ann", roles: ["user"] } },
      resources: { one: { kind: "document", id: "1" } },
      tests: [
        {
          name: "viewing",
          input: { principals: ["ann"], resources: ["one"], actions: ["view"] },
          expected: [{ principal: "ann", resource: "one", actions: { view: "EFFECT_ALLOW" } }],
        },
      ],
    };
    const tests = write("tests.tar", tar({ "document_test.json": JSON.stringify(suite) }));
    const { ok, tests: results } = await compile(archive, { tests });
    assert.equal(ok, true);
    assert.equal(results?.summary.testsCount, 1);
  });

  test("that is broken, or leads elsewhere, is refused with its path", async () => {
    const cases = [
      [write("broken.zip", "no archive"), /it is broken: its end is missing/],
      [write("outside.tar", tar({ "../document.yaml": "" })), /"\.\.\/document\.yaml" is no path within the archive/],
      [write("policies.rar", "Rar!"), /neither a directory nor an archive/],
      [join(folder, "nowhere.zip"), /no policy directory or archive at/],
    ];
    for (const [path, message] of cases) {
      await assert.rejects(Orthrus.open(path), { name: "StoreError", code: "STORE_UNREADABLE", path, message });
    }
  });
});
