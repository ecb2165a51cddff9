/** The page at `/`, in Chromium. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { launch, openPage, screenshot, skipBrowser } from "../examples/support/browser.mjs";
import { startServer, temporary } from "./support.mjs";

const ATTACK = '<img src=x onerror="document.title=1">';

const policy = (kind) => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${JSON.stringify(kind)}
  version: default
  rules:
    - { actions: [view], effect: EFFECT_ALLOW, roles: [user] }
`;

describe("the page", { skip: skipBrowser }, () => {
  const cleanups = [];
  let [browser, url, orthrus] = [];

  before(async () => {
    const t = { after: (clean) => cleanups.push(clean) };
    orthrus = await Orthrus.fromFiles({ "document.yaml": policy("document"), [`${ATTACK}.yaml`]: policy("other") });
    const server = await startServer(t, orthrus);
    // The browser of the tests reaches no other name.
    url = server.url.replace("127.0.0.1", "localhost");
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    for (const clean of cleanups) {
      await clean();
    }
  });

  /** Opens the page and waits until it shows the state. */
  async function open(act) {
    const page = await openPage(browser, url);
    try {
      await page.goto("/");
      await page.locator("#policies tbody tr").first().waitFor();
      await act(page);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.context().close();
    }
  }

  const texts = (page, selector) => page.locator(selector).allTextContents();

  test("shows the state and the policies", () =>
    open(async (page) => {
      assert.equal(await page.locator("#status").textContent(), "SERVING");
      assert.match(await page.locator("#state").textContent(), /Policies2, from files/);
      assert.deepEqual(await texts(page, "#policies tbody td:first-child"), [
        "resource.document.vdefault",
        "resource.other.vdefault",
      ]);
      await screenshot(page, "server-page");
    }));

  test("tries a check", () =>
    open(async (page) => {
      await page.getByRole("button", { name: "Check" }).click();
      await page.locator("#effects tbody tr").first().waitFor();
      const rows = await page.locator("#effects tbody tr").allTextContents();
      assert.deepEqual(rows, [
        "document 1editEFFECT_DENYresource.document.vdefault",
        "document 1viewEFFECT_ALLOWresource.document.vdefault",
      ]);
      await screenshot(page, "server-page-check");
    }));

  test("tears no short word apart where it is narrow, and is as wide as the screen", () =>
    open(async (page) => {
      await page.setViewportSize({ width: 375, height: 800 });
      await page.getByRole("button", { name: "Check" }).click();
      await page.locator("#effects tbody tr").first().waitFor();
      const heights = await page
        .locator("#effects th, #effects td:nth-child(2), #effects td:nth-child(3), #policies th")
        .evaluateAll((cells) => cells.map((cell) => [cell.textContent, cell.getClientRects()[0].height, cell.tagName]));
      const heading = heights.filter(([, , tag]) => tag === "TH").map(([, height]) => height);
      assert.ok(Math.max(...heading) - Math.min(...heading) < 2, JSON.stringify(heights));
      const lines = await page.locator("#effects td:nth-child(3)").evaluateAll((cells) =>
        cells.map((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return range.getClientRects().length;
        }),
      );
      assert.deepEqual(lines, [1, 1]);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 375));
      await screenshot(page, "server-page-narrow");
    }));

  test("what is marked stays marked while nothing changes", () =>
    open(async (page) => {
      const marked = () => page.evaluate(() => getSelection().toString());
      await page.evaluate(() => getSelection().selectAllChildren(document.querySelector("#policies tbody")));
      const text = await marked();
      assert.match(text, /resource\.document/);
      const asked = page.waitForResponse("**/_orthrus/state");
      await asked;
      await page.waitForTimeout(200);
      assert.equal(await marked(), text);
    }));

  test("says what is wrong with a request", () =>
    open(async (page) => {
      await page.locator("#request").fill('{ "principal": { "id": "a", "roles": [] }, "resources": [] }');
      await page.getByRole("button", { name: "Check" }).click();
      await page.locator("#answer", { hasText: "principal.roles: value is required" }).waitFor();
      // Chromium tells of each answer that is an error.
      page.problems.length = 0;
    }));

  test("runs nothing that a name holds", () =>
    open(async (page) => {
      assert.ok((await texts(page, "#policies tbody td")).includes(`${ATTACK}.yaml`));
      assert.equal(await page.title(), "orthrus");
      assert.equal(await page.locator("img").count(), 0);
    }));

  test("runs nothing that a request or its answer holds", () =>
    open(async (page) => {
      const request = {
        principal: { id: ATTACK, roles: [ATTACK] },
        resources: [{ resource: { kind: ATTACK, id: ATTACK }, actions: [ATTACK] }],
        includeMeta: true,
      };
      await page.locator("#request").fill(JSON.stringify(request));
      await page.getByRole("button", { name: "Check" }).click();
      await page.locator("#effects tbody tr").first().waitFor();
      assert.deepEqual(await texts(page, "#effects tbody td"), [
        `${ATTACK} ${ATTACK}`,
        ATTACK,
        "EFFECT_DENY",
        "NO_MATCH",
      ]);
      assert.equal(await page.title(), "orthrus");
      assert.equal(await page.locator("img").count(), 0);
    }));

  test("runs nothing that would be written into it", () =>
    open(async (page) => {
      const refused = page.evaluate(
        () =>
          new Promise((resolve) =>
            document.addEventListener("securitypolicyviolation", (it) => resolve(it.violatedDirective)),
          ),
      );
      await page.evaluate((attack) => document.body.insertAdjacentHTML("beforeend", attack), ATTACK);
      assert.match(await refused, /^(img-src|script-src-attr)/);
      assert.equal(await page.title(), "orthrus");
      // Chromium tells of what it has refused.
      page.problems.length = 0;
    }));

  test("says that the JSON is broken", () =>
    open(async (page) => {
      await page.locator("#request").fill("{");
      await page.getByRole("button", { name: "Check" }).click();
      await page.locator("#answer", { hasText: "proto: (line 1:1)" }).waitFor();
      assert.ok(await page.locator("#effects").isHidden());
      page.problems.length = 0;
    }));

  test("shows that newer policies are refused", async (t) => {
    const folder = temporary(t);
    writeFileSync(join(folder, "document.yaml"), policy("document"));
    const engine = await Orthrus.open(folder);
    const server = await startServer(t, engine);
    writeFileSync(join(folder, "document.yaml"), policy("document").replace("EFFECT_ALLOW", ATTACK));
    await assert.rejects(engine.refresh());
    const page = await openPage(browser, server.url.replace("127.0.0.1", "localhost"));
    try {
      await page.goto("/");
      const failure = page.locator("#failure");
      await failure.waitFor();
      assert.match(
        await failure.textContent(),
        /is refused; the policies below go on deciding[\s\S]*document\.yaml:\d+:\d+/,
      );
      assert.equal(await page.title(), "orthrus");
      assert.equal(await page.locator("#status").textContent(), "SERVING");
      await screenshot(page, "server-page-failure");
      assert.deepEqual(page.problems, []);
    } finally {
      await page.context().close();
    }
  });

  test("says when the server is gone", async (t) => {
    const { url, server } = await startServer(t, orthrus);
    const page = await openPage(browser, url.replace("127.0.0.1", "localhost"));
    try {
      await page.goto("/");
      await page.locator("#policies tbody tr").first().waitFor();
      await server.stop();
      // It looks each five seconds.
      await page.locator("#status", { hasText: "not to be reached" }).waitFor({ timeout: 10_000 });
    } finally {
      await page.context().close();
    }
  });

  test("is sent with what keeps it to itself", async () => {
    for (const path of ["/", "/_orthrus/page.js", "/_orthrus/page.css"]) {
      const { headers, status } = await fetch(`${url}${path}`);
      assert.equal(status, 200);
      assert.match(headers.get("content-security-policy"), /default-src 'none'; script-src 'self'/);
      assert.doesNotMatch(headers.get("content-security-policy"), /unsafe/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
  });

  test("is not there when it is turned off", async (t) => {
    const { url } = await startServer(t, orthrus, { server: { apiExplorerEnabled: false } });
    for (const path of ["/", "/_orthrus/state", "/_orthrus/page.js"]) {
      assert.equal((await fetch(`${url}${path}`)).status, 404, path);
    }
  });
});
