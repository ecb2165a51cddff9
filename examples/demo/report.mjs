const paint = (code) => (text) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;
const green = paint(32);
const red = paint(31);
const dim = paint(2);
const bold = paint(1);

const sentence = ({ value, error }) =>
  error
    ? `error ${error}`
    : Object.entries(value)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, text]) => `${name} ${text}`)
        .join(", ");

/** Outputs in words: `{reason: "other_tenant"}` reads `reason other_tenant`. A rule speaks once for each role; print it once. */
const readable = (outputs) => [...new Set(outputs.map(sentence))].join("; ");

const HEAD = ["action", "resource", "decision", "matched policy", "derived roles", "outputs"];

/** Prints the decisions as one table, in the order given, with a heading for each person. */
export function print(decisions, titleOf) {
  const rows = decisions.map(({ action, resource, allowed, matchedPolicy, derivedRoles, outputs }) => [
    action,
    resource,
    allowed ? "allow" : "deny",
    matchedPolicy,
    derivedRoles.join(", ") || "–",
    readable(outputs) || "–",
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  // Colour comes after padding: its codes have a length, but no width.
  const line = (cells, style = (text) => text) =>
    `  ${cells.map((cell, column) => style(cell.padEnd(widths[column]), column)).join("  ")}`.trimEnd();

  let person;
  for (const [index, { session, allowed }] of decisions.entries()) {
    if (session !== person) {
      person = session;
      console.log(`\n${bold(titleOf(session))}`);
      console.log(line(HEAD, dim));
    }
    const decision = allowed ? green : red;
    console.log(line(rows[index], (cell, column) => (column === 2 ? decision(cell) : column > 2 ? dim(cell) : cell)));
  }
  console.log();
}

/** The last line: what came of it. */
export const conclude = (text, good) => console.log(good ? green(text) : red(text));
