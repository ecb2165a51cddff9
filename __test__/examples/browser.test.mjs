/** `examples/browser`: a page that decides, in Chromium. */

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openExample, skip } from "./support/app.mjs";
import { launch, openPage, screenshot, skipBrowser } from "./support/browser.mjs";

describe("browser", { skip: skip || skipBrowser }, () => {
  let app;
  let browser;
  before(async () => {
    app = await openExample("browser");
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await app?.close();
  });

  /** Opens the page; `page.requests` are the paths that it has asked for. */
  async function open(act) {
    const page = await openPage(browser, app.url);
    page.requests = [];
    page.on("request", (request) => page.requests.push(new URL(request.url()).pathname));
    try {
      await page.goto("/");
      await page.locator("#policies:not(:empty), [role=alert]:not([hidden])").first().waitFor();
      await act(page);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.context().close();
    }
  }

  /** What is allowed, by document. */
  const allowed = (page) =>
    page
      .locator("tbody tr")
      .evaluateAll((rows) =>
        Object.fromEntries(
          rows.map((row) => [
            row.cells[0].textContent,
            [...row.querySelectorAll(".action")].map((it) => it.textContent),
          ]),
        ),
      );

  for (const [person, status, held, handbook, roadmap] of [
    ["Ada", "draft", false, ["view", "edit", "delete"], ["view", "delete"]],
    ["Ada", "review", false, ["view", "edit", "delete"], ["view", "publish", "delete"]],
    ["Ada", "review", true, ["view"], ["view", "publish"]],
    ["Max", "draft", false, [], ["view", "edit", "delete"]],
    ["Max", "published", false, ["view"], ["view", "delete"]],
    ["Max", "draft", true, [], ["view"]],
    ["Lea", "published", false, [], []],
    ["Nobody", "published", false, [], []],
  ]) {
    test(`${person}, ${status}${held ? ", held" : ""}`, () =>
      open(async (page) => {
        await page.getByLabel("Person").selectOption(person);
        await page.getByLabel("Status of the document").selectOption(status);
        await page.getByLabel("held for the court").setChecked(held);
        assert.deepEqual(await allowed(page), { "Employee handbook": handbook, "Roadmap 2027": roadmap });
      }));
  }

  test("it tells by which policies, and asks the server for nothing but what it is made of", () =>
    open(async (page) => {
      await page.getByLabel("Person").selectOption("Ada");
      assert.match(
        await page.locator("#policies").textContent(),
        /^\d+ policies, sha256:[0-9a-f]{64}, decided in [\d.]+ ms$/,
      );
      const kinds = page.requests.map((path) => path.replace(/^.*\./, ".")).sort();
      assert.deepEqual(kinds, [".css", ".js", ".orb", ".wasm", "/"]);
      await screenshot(page, "browser-ada");
    }));

  test("it goes on deciding without a server", () =>
    open(async (page) => {
      await page.context().setOffline(true);
      await page.getByLabel("Person").selectOption("Max");
      await page.getByLabel("Status of the document").selectOption("published");
      assert.deepEqual((await allowed(page))["Employee handbook"], ["view"]);
    }));

  for (const [what, damage] of [
    ["is missing", (file) => rmSync(file)],
    ["is altered", (file) => writeFileSync(file, readFileSync(file).fill(0, 60, 70))],
    ["is a page", (file) => writeFileSync(file, "<p>nothing here")],
  ]) {
    test(`where the bundle ${what}, it says so and shows nothing as allowed`, async () => {
      const file = join(app.folder, "dist", "policies.orb");
      const bundle = readFileSync(file);
      damage(file);
      try {
        await open(async (page) => {
          assert.match(await page.getByRole("alert").textContent(), /^There are no policies to decide by: /);
          assert.deepEqual(await allowed(page), {});
          await screenshot(page, `browser-bundle-${what.replaceAll(" ", "-")}`);
        });
      } finally {
        writeFileSync(file, bundle);
      }
    });
  }
});
