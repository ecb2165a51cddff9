/** Counts what agrees, and shows the first differences in full, made as small as they get. */

import { parts, without } from "../differential/minimise.mjs";

/** So many differences are shown in full, and so many are named. */
const SHOWN = 5;
const NAMED = 100;
/** So much of a text. */
const LONGEST = 20_000;
/** How many smaller sets are tried for a difference. */
const TRIES = 400;

const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text);

/** Where two lists of texts differ first; `undefined` where they are equal. */
function firstDifference(expected, actual) {
  const length = Math.max(expected.length, actual.length);
  const at = Array.from({ length }, (_, index) => index).find((index) => expected[index] !== actual[index]);
  return at === undefined ? undefined : { at, expected: expected[at] ?? "nothing", actual: actual[at] ?? "nothing" };
}

/** How many cases there are in each of the texts about a set: one in that about loading, and one for each action that a request asks. */
export function casesOf({ requests }, texts) {
  const asked = requests.map(({ resources = [] }) => resources.reduce((sum, { actions }) => sum + actions.length, 0));
  return [1, ...asked.map((actions) => Math.max(actions, 1))].slice(0, texts);
}

/** What can be dropped of a set: policies in JSON are taken apart, other files are dropped whole. */
function taken({ files, ...set }) {
  const parse = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  return { ...set, files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, parse(text)])) };
}

function put({ files, ...set }) {
  const print = (policy) => (typeof policy === "string" ? policy : JSON.stringify(policy, null, 1));
  return { ...set, files: Object.fromEntries(Object.entries(files).map(([name, policy]) => [name, print(policy)])) };
}

/** The smallest set that differs in a request or, without requests, in loading. */
async function minimise(set, { at }, compare) {
  const { name, files, options, requests, bundle } = set;
  if (bundle !== undefined) {
    return { set, found: undefined };
  }
  let smallest = { name, files, options, requests: at === 0 ? [] : [requests[at - 1]] };
  let found = await compare(smallest);
  if (found === undefined) {
    return { set, found: undefined };
  }
  const { at: place } = found;
  let tries = 0;
  for (let shrunk = true; shrunk && tries < TRIES; ) {
    shrunk = false;
    const subject = taken(smallest);
    const droppable = parts({ files: subject.files, options: subject.options, requests: subject.requests });
    for (const path of droppable.sort((a, b) => a.length - b.length)) {
      if (tries++ >= TRIES || path.length === 1 || (path[0] === "requests" && path.length === 2)) {
        continue;
      }
      const candidate = put(without(subject, path));
      const difference = await compare(candidate).catch(() => undefined);
      if (difference?.at === place) {
        [smallest, found, shrunk] = [candidate, difference, true];
        break;
      }
    }
  }
  return { set: smallest, found };
}

const bundleText = ({ bundle }) =>
  bundle === undefined ? "" : `-- bundle.orb (base64) --\n${shortened(Buffer.from(bundle).toString("base64"))}\n`;

function show(suite, way, set, { at, expected, actual }) {
  const files = Object.entries(set.files).map(([name, text]) => `-- ${name} --\n${shortened(text)}\n`);
  const request = at === 0 ? undefined : set.requests[at - 1];
  const asked =
    request === undefined
      ? ""
      : `-- request.json --\n${shortened(typeof request === "string" ? request : JSON.stringify(request))}\n`;
  console.log(
    `\n=== ${suite}: ${set.name}\noptions ${JSON.stringify(set.options)}\n${files.join("")}${bundleText(set)}${asked}` +
      `addon, from files:\n${shortened(expected)}\n${way}:\n${shortened(actual)}\n`,
  );
}

export class Report {
  #shown = 0;
  #suites = new Map();

  /** Compares what two ways say of a set. `again` decides another set both ways: `[expected, actual]`. */
  async add({ suite, way, set, expected, actual, again }) {
    const tally = this.#tally(suite, way);
    for (const [index, cases] of casesOf(set, Math.max(expected.length, actual.length)).entries()) {
      tally.cases += cases;
      tally.disagree += expected[index] === actual[index] ? 0 : cases;
    }
    const found = firstDifference(expected, actual);
    if (found === undefined) {
      return;
    }
    this.#shown += 1;
    if (this.#shown > SHOWN) {
      if (this.#shown <= NAMED) {
        console.log(`${suite}: ${set.name}, by ${way}, differs as well`);
      }
      return;
    }
    const small = await minimise(set, found, async (candidate) => firstDifference(...(await again(candidate))));
    show(suite, way, ...(small.found === undefined ? [set, found] : [small.set, small.found]));
  }

  #tally(suite, way) {
    const key = `${suite}\n${way}`;
    if (!this.#suites.has(key)) {
      this.#suites.set(key, { suite, way, cases: 0, disagree: 0 });
    }
    return this.#suites.get(key);
  }

  /** Prints a line for each suite with what came of each way, and last the totals. The result is how many disagree. */
  print() {
    const tallies = [...this.#suites.values()];
    for (const suite of new Set(tallies.map((it) => it.suite))) {
      const ways = tallies.filter((it) => it.suite === suite);
      const told = ways.map(
        ({ way, cases, disagree }) => `${way} ${cases}${disagree > 0 ? ` (${disagree} DISAGREE)` : ""}`,
      );
      console.log(`${suite}: ${told.join("; ")}`);
    }
    const sum = (field) => tallies.reduce((total, tally) => total + tally[field], 0);
    const [cases, disagree] = [sum("cases"), sum("disagree")];
    console.log(`${cases} cases, ${cases - disagree} agree, ${disagree} disagree`);
    return disagree;
  }
}
