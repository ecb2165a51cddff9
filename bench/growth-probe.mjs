/**
 * A process of its own that opens one directory of policies and prints what that cost, as JSON
 * `{ loadMs, rssBytes }`. Run by growth.mjs with --expose-gc.
 */
import { loadOrthrus } from "./peers/orthrus.mjs";

const { Orthrus } = loadOrthrus();
const settled = () => {
  globalThis.gc();
  return process.memoryUsage().rss;
};

const before = settled();
const started = performance.now();
const engine = await Orthrus.open(process.argv[2]);
const loadMs = performance.now() - started;
console.log(JSON.stringify({ loadMs, rssBytes: settled() - before }));
// Closed after the measurement, so that the engine was in use while its memory was read.
engine.close();
