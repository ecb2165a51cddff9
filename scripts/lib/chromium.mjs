/** A browser for tests of pages: Chromium or Chrome as the system has it. Playwright's own download is not used. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installInCI } from "./apt.mjs";

/** The names on the path, and the places where installers put it on systems that have no path for it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of the browser's executable; `undefined` without one. */
export function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...PLACES].find(existsSync);
}

/** Installs a browser where continuous integration lacks one and the system is Debian's. */
export async function provideChromium() {
  if (findChromium() === undefined) {
    await installInCI("chromium");
  }
}
