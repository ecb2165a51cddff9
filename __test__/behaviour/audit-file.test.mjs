/** The file of the audit log: lines in their order, files that are set aside, disks that fail. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { AuditError } from "orthrus";
import { ndjsonFile } from "orthrus/audit";
import { linesIn, linesOf, temporaryFolder } from "../support/audit.mjs";

const root = temporaryFolder();
let folders = 0;

/** A folder of one test, with a file in it, and what `onError` is told. */
function logIn(options, name = "audit.log") {
  const folder = join(root, String(folders++), "logs");
  const path = join(folder, name);
  const file = ndjsonFile(path, options);
  const errors = [];
  const write = (record) => file.write(record, (error) => errors.push(error));
  return { folder, path, file, errors, write };
}

const numbers = (count, start = 0) => Array.from({ length: count }, (_, index) => ({ number: start + index }));
const codes = (errors) => errors.map(({ code }) => code);
const unwritable = { name: "AuditError", code: "AUDIT_UNWRITABLE" };

describe("lines", () => {
  test("get to the file in their order, without anybody waiting", async () => {
    const { path, file, errors, write } = logIn();
    for (const record of numbers(1000)) {
      write(record);
    }
    assert.equal(existsSync(path), false);
    await file.flush();
    for (const record of numbers(5, 1000)) {
      write(record);
      await new Promise(setImmediate);
    }
    await file.close();
    assert.deepEqual(linesOf(path), numbers(1005));
    assert.deepEqual(errors, []);
  });

  test("are added to those of another process before", async () => {
    const { path, folder, file, write } = logIn();
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, '{"number":0}\n');
    write({ number: 1 });
    await file.close();
    assert.deepEqual(linesOf(path), numbers(2));
  });

  test("may be read by the owner alone", { skip: process.platform === "win32" }, async () => {
    const { path, file, write } = logIn();
    write({});
    await file.close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("are written before a process ends that has nothing else to do", () => {
    const path = join(root, "ends.log");
    const script = `
      import { ndjsonFile } from "orthrus/audit";
      const { write } = ndjsonFile(new URL(${JSON.stringify(pathToFileURL(path).href)}));
      for (let number = 0; number < 3; number++) write({ number });`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
    });
    assert.deepEqual(linesOf(path), numbers(3));
  });

  test("that come after closing are dropped, and counted", async () => {
    const { file, errors, write } = logIn();
    await file.close();
    write({});
    write({});
    await file.flush();
    assert.deepEqual([codes(errors), errors[0].dropped], [["AUDIT_DROPPED"], 2]);
    assert.match(errors[0].message, /^2 lines of .*audit\.log dropped: the file is closed$/);
    assert.ok(errors[0] instanceof AuditError);
  });
});

describe("a file that is full", () => {
  /** Eleven records and their names fill a file of a kilobyte. */
  const KILOBYTE = { maxFileSizeMB: 1 / 1024 };
  const records = (count) => numbers(count).map((record) => ({ ...record, text: "x".repeat(70) }));
  const SET_ASIDE = /^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/;

  test("gets the time into its name, and no file is larger", async () => {
    const { folder, file, errors, write } = logIn(KILOBYTE);
    for (const record of records(100)) {
      write(record);
    }
    await file.close();
    const names = readdirSync(folder);
    assert.ok(names.length > 8);
    for (const name of names.filter((name) => name !== "audit.log")) {
      assert.match(name, SET_ASIDE);
      const { size } = statSync(join(folder, name));
      assert.ok(size <= 1024 && size > 1024 - 110, String(size));
    }
    assert.deepEqual(linesIn(folder, "audit.log"), records(100));
    assert.deepEqual(errors, []);
  });

  test("is so by what another process wrote, too", async () => {
    const { folder, path, file, write } = logIn(KILOBYTE);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, `${JSON.stringify({ text: "x".repeat(1000) })}\n`);
    write(records(1)[0]);
    await file.close();
    assert.equal(readdirSync(folder).length, 2);
    assert.deepEqual(linesOf(path), records(1));
  });

  test("has one line, if that is larger than a file may be", async () => {
    const { folder, file, write } = logIn(KILOBYTE);
    const large = { text: "x".repeat(5000) };
    for (const record of [{}, large, {}]) {
      write(record);
    }
    await file.close();
    assert.deepEqual(linesIn(folder, "audit.log"), [{}, large, {}]);
    assert.equal(readdirSync(folder).length, 3);
  });

  test("is kept if it is among the newest", async () => {
    const { folder, file, write } = logIn({ ...KILOBYTE, maxFileCount: 2 });
    for (const record of records(100)) {
      write(record);
    }
    await file.close();
    assert.equal(readdirSync(folder).length, 3);
    const kept = linesIn(folder, "audit.log");
    assert.deepEqual(kept, records(100).slice(-kept.length));
  });

  test("is deleted when it is old, and nothing else is", async () => {
    const { folder, file, write } = logIn({ ...KILOBYTE, maxFileAgeDays: 2 });
    mkdirSync(folder, { recursive: true });
    const day = 24 * 60 * 60 * 1000;
    const named = (days) =>
      `audit-${new Date(Date.now() - days * day).toISOString().slice(0, -1).replaceAll(":", "-")}.log`;
    const others = ["audit-of-the-year.log", "other.log", "audit-2020-01-01T00-00-00.000.txt"];
    for (const name of [named(1), named(3), named(400), ...others]) {
      writeFileSync(join(folder, name), "{}\n");
      utimesSync(join(folder, name), 0, 0);
    }
    write({});
    await file.close();
    const left = readdirSync(folder).filter((name) => SET_ASIDE.test(name));
    assert.equal(left.length, 1);
    assert.equal(left[0].slice(0, 16), named(1).slice(0, 16));
    assert.ok(others.every((name) => existsSync(join(folder, name))));
  });

  test("may have a name without an ending", async () => {
    const { folder, file, write } = logIn({ ...KILOBYTE, maxFileCount: 1 }, "audit");
    for (const record of records(40)) {
      write(record);
    }
    await file.close();
    assert.equal(readdirSync(folder).length, 2);
  });
});

describe("a disk that fails", () => {
  test("is told of, and gets the lines when it is well again", async () => {
    const { folder, path, file, errors, write } = logIn();
    // A file where the folder should be.
    mkdirSync(join(folder, ".."), { recursive: true });
    writeFileSync(folder, "");
    numbers(3).forEach(write);
    await assert.rejects(file.flush(), unwritable);
    write({ number: 3 });
    await assert.rejects(file.flush(), unwritable);
    assert.deepEqual([...new Set(codes(errors))], ["AUDIT_UNWRITABLE"]);
    assert.match(errors[0].message, /audit\.log cannot be written: E/);
    assert.equal(errors[0].cause.syscall, "mkdir");
    rmSync(folder);
    write({ number: 4 });
    await file.close();
    assert.deepEqual(linesOf(path), numbers(5));
  });

  test("is tried again by itself", async () => {
    const { folder, path, file, write } = logIn();
    mkdirSync(join(folder, ".."), { recursive: true });
    writeFileSync(folder, "");
    write({ number: 0 });
    await assert.rejects(file.flush(), unwritable);
    rmSync(folder);
    const deadline = Date.now() + 10_000;
    while (!existsSync(path) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await file.close();
    assert.deepEqual(linesOf(path), numbers(1));
  });

  test("may take part of a line: the rest follows", async (t) => {
    const { path, file, errors, write } = logIn();
    const handle = await open(fileURLToPath(import.meta.url));
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { write: original } = prototype;
    let calls = 0;
    t.mock.method(prototype, "write", function (bytes) {
      calls += 1;
      if (calls === 2) {
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      }
      return original.call(this, bytes.subarray(0, 20));
    });
    numbers(10).forEach(write);
    await assert.rejects(file.flush(), unwritable);
    write({ number: 10 });
    await file.close();
    assert.deepEqual(linesOf(path), numbers(11));
    assert.deepEqual(codes(errors), ["AUDIT_UNWRITABLE"]);
  });

  test("fills the backlog: further lines are dropped, and counted", async () => {
    const { folder, path, file, errors, write } = logIn({ maxBacklogMB: 1 / 1024 });
    mkdirSync(join(folder, ".."), { recursive: true });
    writeFileSync(folder, "");
    const record = { text: "x".repeat(244) };
    for (let count = 0; count < 10; count++) {
      write(record);
    }
    await assert.rejects(file.flush(), unwritable);
    assert.deepEqual(codes(errors), ["AUDIT_UNWRITABLE", "AUDIT_DROPPED"]);
    assert.equal(errors[1].dropped, 6);
    assert.match(errors[1].message, /^6 lines of .* dropped: too many wait already$/);
    rmSync(folder);
    await file.flush();
    write({ after: true });
    await file.close();
    assert.deepEqual(linesOf(path), [record, record, record, record, { after: true }]);
    assert.equal(errors.length, 2);
  });

  test("loses what waits when the file is closed", async () => {
    const { folder, file, errors, write } = logIn();
    mkdirSync(join(folder, ".."), { recursive: true });
    writeFileSync(folder, "");
    numbers(3).forEach(write);
    await assert.rejects(file.close(), unwritable);
    assert.deepEqual(codes(errors), ["AUDIT_UNWRITABLE", "AUDIT_DROPPED"]);
    assert.equal(errors[1].dropped, 3);
  });

  test("may be full from the beginning", { skip: !existsSync("/dev/full") }, async () => {
    const file = ndjsonFile("/dev/full");
    const errors = [];
    file.write({}, (error) => errors.push(error));
    await assert.rejects(file.close(), unwritable);
    assert.equal(errors[0].cause.code, "ENOSPC");
  });
});
