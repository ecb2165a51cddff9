/** Formats for the terminal. */

const numeric = /^[\d.,]+( ?(ns|µs|ms|s|MB|×))?$/;

/** Rows of strings as aligned columns; columns whose cells are all figures are set flush right. */
export function table(head, rows) {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const right = head.map((_, c) => rows.every((row) => numeric.test(row[c]) || row[c] === "–"));
  const line = (cells) =>
    cells
      .map((cell, c) => (right[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

const digits = (value) => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const figure = (value) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits(value), maximumFractionDigits: digits(value) });

/** A time in µs, given in ns. */
export const micros = (ns) => `${figure(ns / 1e3)} µs`;

/** A time in ms. */
export const millis = (ms) => `${figure(ms)} ms`;

export const megabytes = (bytes) => `${figure(bytes / 1e6)} MB`;

export const times = (ratio) => `${figure(ratio)} ×`;
