/** The examples of the README and of docs/ that need nothing but orthrus, and the demo: they run, and print what is said there. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { skip } from "../support/addon.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file) => readFileSync(join(root, file), "utf8");
const blocksOf = (text) => [...text.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text]) => ({ language, text }));
const files = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const documents = files.map(read).join("\n");
const blocks = blocksOf(documents);
const [policy, suite] = blocksOf(read("README.md"))
  .filter(({ language }) => language === "yaml")
  .map(({ text }) => text);
const isPlain = ({ language, text }) =>
  language === "js" && [...text.matchAll(/from "([^"]+)"/g)].every(([, name]) => name === "orthrus");
const examples = blocks.filter(isPlain);

describe("README", () => {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-readme-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "policies"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "orthrus"), "junction");
  writeFileSync(join(folder, "policies", "document.yaml"), policy);
  writeFileSync(join(folder, "policies", "document_test.yaml"), suite);

  before(() => {
    const command = join(root, "bin", "orthrus.js");
    execFileSync(process.execPath, [command, "bundle", "policies", "-o", "policies.orb"], {
      cwd: folder,
      stdio: "ignore",
    });
  });

  test("and docs/ link to what there is", () => {
    const anchors = (text) =>
      [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      );
    for (const file of files) {
      for (const [, target] of read(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [path, anchor] = target.split("#");
        const linked = path === "" ? file : join(dirname(file), path);
        assert.ok(existsSync(join(root, linked)), `${file}: ${target}`);
        assert.ok(anchor === undefined || anchors(read(linked)).includes(anchor), `${file}: ${target}`);
      }
    }
  });

  test("has examples", () => assert.ok(examples.length >= 3));

  test("shows what the demo prints", { skip }, () => {
    const demo = join(root, "examples", "demo", "index.mjs");
    const printed = execFileSync(process.execPath, [demo], { encoding: "utf8" });
    assert.ok(
      blocks.some(({ language, text }) => language === "text" && text.trim() === printed.trim()),
      printed,
    );
  });

  test("imports what there is", async () => {
    const imports = [...documents.matchAll(/import \{([^}]+)\} from "(orthrus[^"]*)"/g)];
    assert.ok(imports.length >= 10);
    for (const [, names, entry] of imports) {
      const module = await import(entry);
      for (const name of names.split(",")) {
        assert.ok(name.trim() in module, `${name.trim()} of ${entry}`);
      }
    }
  });

  examples.forEach(({ text }, index) => {
    test(`example ${index + 1}`, () => {
      const file = join(folder, `example-${index}.mjs`);
      writeFileSync(file, text);
      const printed = execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
      const promised = [...text.matchAll(/(?:^|console\.log.*; )\/\/ (.*)$/gm)].map(([, line]) => line);
      assert.deepEqual(printed.trim().split("\n").filter(Boolean), promised);
    });
  });
});
