/** Headless Chromium for tests of pages, driven by Playwright. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "../../../scripts/lib/chromium.mjs";
import { inRoot } from "../../../scripts/lib/project.mjs";

const executablePath = findChromium();

/** Why tests in a browser cannot run; `false` if they can. In CI they must, and fail by themselves. */
export const skipBrowser =
  executablePath !== undefined || process.env.CI ? false : "SKIPPED: there is no Chromium or Chrome on this machine";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser with an empty profile. */
export function launch() {
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * A page of a new person at the browser, who has no cookies but `cookies` (from name to value, for `url`). It reaches no host
 * but this machine. `page.problems` lists the errors that the page has raised, as texts.
 */
export async function openPage(browser, url, cookies = {}) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1000, height: 700 } });
  await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url })));
  await context.route(
    (target) => target.hostname !== "localhost",
    (route) => route.abort(),
  );
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  return page;
}

/** Keeps a picture of the page in `target/screenshots`, for people to look at. */
export async function screenshot(page, name) {
  const folder = inRoot("target", "screenshots");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
