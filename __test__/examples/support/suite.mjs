/** The tests of an example with pages, over the tables of `workspace.mjs`. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { people } from "../../../examples/stand-ins/people.mjs";
import { openExample, skip } from "./app.mjs";
import { launch, openPage, screenshot, skipBrowser } from "./browser.mjs";
import { nextjs } from "./frameworks.mjs";
import { leaks, policyTexts, secretsOf } from "./secrets.mjs";
import { signIn } from "./sign-in.mjs";
import { textOf, Visitor } from "./visitor.mjs";
import { calls, pages, refusals } from "./workspace.mjs";

/** Scripts of an SDK that its provider serves, which a test cannot reach. */
const EXPECTED_PROBLEMS = /^Clerk: Failed to load Clerk/;

/**
 * Waits, for some seconds at most, until the page shows all texts: what `unauthorized()` and `forbidden()` of Next.js show is drawn
 * by scripts, some time after the page has loaded.
 */
const shown = (page, texts) =>
  page
    .waitForFunction((all) => all.every((text) => document.body.innerText.includes(text)), texts, { timeout: 10_000 })
    .catch(() => undefined);

/** The names of the buttons in the page, as assistive technology reads them. */
const buttonsOf = (page) =>
  page
    .locator("main .card:not(.stop)")
    .locator("button, a.button")
    .evaluateAll((all) => all.map((element) => element.getAttribute("aria-label") ?? element.textContent));

/**
 * Describes an example: builds and starts it, visits it by HTTP and by Chromium. `attacks(context)` adds tests of requests that
 * pretend to be somebody; `context.app` is the running example, `context.cookies` from person to cookies. `framework` is one of
 * `frameworks.mjs`.
 */
export function describeWorkspace(name, attacks, framework = nextjs) {
  describe(name, { skip }, () => {
    const context = { app: undefined, cookies: {}, framework };
    before(async () => {
      context.app = await openExample(name);
      for (const person of [...Object.keys(people), "nobody"]) {
        context.cookies[person] = await signIn(context.app, person);
      }
    });
    after(() => context.app?.close());

    describe("by HTTP", () => byHttp(context));
    describe("refuses who pretends to be somebody", () => attacks(context));
    describe("in Chromium", { skip: skipBrowser }, () => inChromium(context, name));
  });
}

const visitorOf = ({ app, cookies }, person) => new Visitor(app.url, cookies[person]);

function byHttp(context) {
  for (const { person, path, status, there, absent } of pages) {
    test(`${person}: ${path} is ${status}`, async () => {
      const response = await visitorOf(context, person).request(path);
      const html = await response.text();
      // Next.js leaves it to scripts to draw what unauthorized() and forbidden() show; the text is in the data for them.
      const text = status === 200 ? textOf(html) : html;
      assert.equal(response.status, status, text);
      for (const wanted of there) assert.ok(text.includes(wanted), `${wanted} is missing in: ${text}`);
      // In the markup and the scripts, too: what is not shown is not sent.
      for (const unwanted of absent) assert.ok(!html.includes(unwanted), `${unwanted} is in: ${html}`);
    });
  }

  for (const { person, method, path, status } of calls) {
    test(`${person}: ${method} ${path} is ${status}`, async () => {
      const response = await visitorOf(context, person).request(path, { method });
      assert.equal(response.status, status);
      const body = await response.json();
      if (status === 200) assert.equal(body.id, path.split("/").at(-1));
      else assert.deepEqual(body, refusals[status]);
    });
  }

  for (const person of ["max", "lea", "nobody"]) {
    for (const [way, callAction] of Object.entries(context.framework.actionCalls)) {
      test(`${person} calls the action behind a button that is not theirs, as a ${way} does`, async () => {
        const list = await (await visitorOf(context, "ada").request("/documents")).text();
        const [form] = [...list.matchAll(/<form.*?<\/form>/g)].find(([text]) => text.includes("Publish Roadmap 2027"));
        const { path, refused, ...request } = callAction(form, "roadmap");
        const headers = { origin: context.app.url, ...request.headers };
        const options = { method: "POST", body: request.body, headers };
        const response = await visitorOf(context, person).request(path, options);
        assert.equal(response.status, refused[person] ?? refused.others);
        const row = await (await visitorOf(context, "ada").request("/api/documents/roadmap")).json();
        assert.equal(row.status, "review");
        // It was the policy that refused, and not a mistake in the request.
        assert.match(context.app.output(), LOGGED[person]);
      });
    }
  }
}

/** What the application's log says of these calls. */
const LOGGED = {
  max: /user_max .*publish document\/roadmap: the policies do not allow it/,
  lea: /user_lea .*publish document\/roadmap: the policies do not allow it/,
  nobody: /anonymous .*publish document\/roadmap: nobody is signed in/,
};

function inChromium(context, name) {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** Opens a path as a person, does something there, and checks that the page has raised no error. */
  async function visit(person, path, act) {
    const page = await openPage(browser, context.app.url, context.cookies[person]);
    try {
      const response = await page.goto(path);
      await act(page, response);
      assert.deepEqual(
        page.problems.filter((problem) => !EXPECTED_PROBLEMS.test(problem)),
        [],
      );
    } finally {
      await page.context().close();
    }
  }

  for (const { person, path, status, buttons, there, absent } of pages) {
    test(`${person} sees ${path}`, () =>
      visit(person, path, async (page, response) => {
        assert.equal(response.status(), status);
        await shown(page, there);
        const text = await page.locator("body").innerText();
        for (const wanted of there) assert.ok(text.includes(wanted), `${wanted} is missing in: ${text}`);
        for (const unwanted of absent) assert.ok(!text.includes(unwanted), `${unwanted} is in: ${text}`);
        assert.deepEqual(await buttonsOf(page), buttons);
        await screenshot(page, `${name}-${person}${path.replaceAll("/", "-")}`);
      }));
  }

  test("nobody signs in, and is Max", () =>
    visit("nobody", "/documents", async (page) => {
      await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
      await page.getByRole("link", { name: /Max Meyer/ }).click();
      await page.getByRole("link", { name: "Roadmap 2027", exact: true }).waitFor();
      assert.equal(await page.getByRole("link", { name: "Billing" }).count(), 0);
    }));

  test("what the server sends is what stays: nothing flashes", async () => {
    const page = await openPage(browser, context.app.url, context.cookies.max);
    // Before any script of the page runs: writes down each button that comes or goes once the page is parsed.
    await page.addInitScript(() => {
      window.changes = [];
      const describe = (node) => (node.querySelectorAll ? [node, ...node.querySelectorAll("button")] : []);
      addEventListener("DOMContentLoaded", () =>
        new MutationObserver((records) => {
          for (const { addedNodes, removedNodes } of records) {
            for (const node of [...addedNodes, ...removedNodes].flatMap(describe)) {
              if (node.tagName === "BUTTON") window.changes.push(node.outerHTML);
            }
          }
        }).observe(document.documentElement, { subtree: true, childList: true }),
      );
    });
    await page.goto("/documents/roadmap");
    // The page is alive when a button of a client component works.
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Title").waitFor();
    const changes = await page.evaluate(() => window.changes);
    assert.equal(changes.length, 2, `only Rename became Save: ${changes.join("\n")}`);
    await page.context().close();
  });

  test("neither a policy nor a secret is in anything that the browser gets", async () => {
    const bodies = new Map();
    for (const person of ["ada", "nobody"]) {
      const page = await openPage(browser, context.app.url, context.cookies[person]);
      const reading = [];
      page.on("response", (response) => {
        reading.push(
          response.text().then(
            (body) => bodies.set(`${person}: ${response.url()}`, body),
            () => undefined, // A redirect has no body.
          ),
        );
      });
      for (const path of ["/documents", "/documents/roadmap", "/billing", "/organizations/org_acme"]) {
        await page.goto(path, { waitUntil: "networkidle" });
      }
      await Promise.all(reading);
      await page.context().close();
    }
    for (const [path, body] of staticFiles(context)) bodies.set(path, body);
    const served = [...bodies.values()].join("\n");
    assert.ok(served.includes("Publish"), "the pages and scripts have been read");
    assert.deepEqual(leaks(bodies, [...policyTexts(), ...secretsOf(context.app.env)]), []);
  });

  test("the owner renames, the administrator publishes, deletes, invites and pays", async () => {
    await visit("max", "/documents/roadmap", async (page) => {
      await page.getByRole("button", { name: "Rename" }).click();
      await page.getByLabel("Title").fill("Roadmap 2028");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("heading", { name: "Roadmap 2028" }).waitFor();
    });
    await visit("ada", "/documents", async (page) => {
      await page.getByRole("button", { name: "Publish Roadmap 2028" }).click();
      await page.getByRole("row", { name: "Roadmap 2028 published" }).waitFor();
      // Published: nobody edits or publishes it any more.
      assert.equal(await page.getByRole("button", { name: "Publish" }).count(), 0);
      await page.getByRole("link", { name: "Roadmap 2028", exact: true }).click();
      await page.getByRole("button", { name: "Delete Roadmap 2028" }).click();
      await page.waitForURL("**/documents");
      await page.getByRole("row", { name: "Roadmap 2028" }).waitFor({ state: "detached" });
      await page.getByRole("link", { name: "Organization" }).click();
      await page.getByRole("button", { name: "Invite a colleague" }).click();
      await page.getByText("8", { exact: true }).waitFor();
      await page.getByRole("link", { name: "Billing" }).click();
      await page.getByRole("button", { name: "Pay" }).click();
      await page.getByText("€0.00").waitFor();
    });
  });
}

/** The scripts and styles of a build, from path to text. */
function staticFiles({ app, framework }) {
  const root = join(app.folder, framework.clientFolder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|css|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, "utf8")]);
}
