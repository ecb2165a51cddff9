/**
 * Timing of peers against each other: rounds are interleaved and the order within a round is shuffled, so that a slow
 * moment of the machine hits all of them.
 *
 * A check within the process takes less time than a reading of the clock is exact to. Its p50 is therefore the median
 * over batches of the time of a batch divided by its length; its p99 comes from checks timed one by one, less what
 * reading the clock costs. A remote check is always timed by itself.
 */
import { random } from "./workload.mjs";

const clock = () => performance.now() * 1e6;

export function percentile(samples, fraction) {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}

/** What one reading of the clock adds to a sample, ns. */
function clockCost() {
  const samples = Array.from({ length: 10_000 }, () => {
    const started = clock();
    return clock() - started;
  });
  return percentile(samples, 0.5);
}

const shuffled = (list, next) => {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
};

/** One pass over the questions; for peers that answer at once no promise is made. */
async function pass(peer, asked, samples, cost) {
  if (peer.mode === "sync") {
    for (const question of asked) {
      const started = clock();
      peer.ask(question);
      samples.push(Math.max(0, clock() - started - cost));
    }
    return;
  }
  for (const question of asked) {
    const started = clock();
    await peer.ask(question);
    samples.push(Math.max(0, clock() - started - cost));
  }
}

/** One pass timed as a whole, ns a question. */
async function batch(peer, asked) {
  const started = clock();
  if (peer.mode === "sync") for (const question of asked) peer.ask(question);
  else for (const question of asked) await peer.ask(question);
  return (clock() - started) / asked.length;
}

/** Asks every question once and fails on the first decision that is not the expected one. */
async function verify(peer, asked) {
  for (const question of asked) {
    const answer = [await peer.ask(question)].flat();
    const wrong = question.expected.findIndex((mask, row) => answer[row] !== mask);
    if (wrong >= 0) {
      throw new Error(
        `${peer.name} decided ${answer[wrong]}, not ${question.expected[wrong]}, for ` +
          JSON.stringify({ user: question.user, row: question.rows[wrong] }),
      );
    }
  }
}

/**
 * Measures `peers` on `asked` questions.
 * @param peers peers of bench/peers
 * @param asked questions of workload.mjs, all of the same number of rows
 * @param plan `{ rounds, warmUp, remoteShare }`: interleaved rounds; passes before them; the share of the questions that
 *   a remote peer is asked in a round (it takes a thousand times as long)
 * @returns a list of `{ name, p50, p99, samples }` in the order of the peers, ns a question
 */
export async function measure(peers, asked, { rounds, warmUp, remoteShare }) {
  const single = asked[0].rows.length === 1;
  const subjects = peers.map((peer) => {
    const ask = single ? ({ user, rows }) => peer.one(user, rows[0]) : ({ user, rows }) => peer.many(user, rows);
    const share = peer.remote ? Math.max(1, Math.floor(asked.length * remoteShare)) : asked.length;
    return {
      name: peer.name,
      mode: peer.mode,
      remote: peer.remote,
      ask,
      asked: asked.slice(0, share),
      singles: [],
      batches: [],
    };
  });

  for (const subject of subjects) await verify(subject, asked);
  const cost = clockCost();
  for (let i = 0; i < warmUp; i++) {
    for (const subject of subjects) await batch(subject, subject.asked);
  }
  const next = random(rounds);
  for (let round = 0; round < rounds; round++) {
    for (const subject of shuffled(subjects, next)) {
      await pass(subject, subject.asked, subject.singles, cost);
      if (!subject.remote) subject.batches.push(await batch(subject, subject.asked));
    }
  }
  return subjects.map((subject) => ({
    name: subject.name,
    p50: percentile(subject.remote ? subject.singles : subject.batches, 0.5),
    p99: percentile(subject.singles, 0.99),
    samples: subject.singles.length,
  }));
}
