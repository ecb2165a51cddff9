/**
 * Bundles that are none any more: `[suite, sets]` each. Those whose payload was changed have the digest of what they are now, so that it is
 * read: on every machine it has to be refused for the same reason, or be loaded and decide alike.
 */

import { createHash } from "node:crypto";
import { Rng } from "../differential/rng.mjs";
import { bundleOf } from "./bundles.mjs";
import { ownSuites } from "./own.mjs";

/** The parts of an unsigned bundle: see `crates/bundle`. */
const DIGEST = 20;
const PAYLOAD = 52;
/** What of the head the digest is of. */
const HEAD = 10;

const DAMAGES = 400;

/** The bytes with the digest that they should have. */
function digested(bytes) {
  const digest = createHash("sha256").update(bytes.subarray(0, HEAD)).update(bytes.subarray(PAYLOAD)).digest();
  bytes.set(digest, DIGEST);
  return bytes;
}

/** Bytes that are easily read as a length, or as a number of something that is not there. */
const ODD = [0, 1, 0x7f, 0x80, 0xff];

/** One change to a payload, or several. */
function changed(rng, bundle) {
  const bytes = Uint8Array.from(bundle);
  const at = rng.int(PAYLOAD + 8, bytes.length - 1);
  const length = rng.pick([1, 1, 1, 4, 5, 8, 10]);
  const byte = rng.chance(0.5) ? rng.pick(ODD) : rng.int(0, 255);
  bytes.fill(byte, at, Math.min(at + length, bytes.length));
  return digested(bytes);
}

/** As it comes from a network or a disk. */
function* cut(bundle) {
  for (const length of [0, 1, 7, 8, 9, 10, 11, 12, 19, 20, 51, 52, 53, bundle.length - 1]) {
    yield [`the first ${length} bytes`, bundle.slice(0, length)];
  }
  for (const at of [0, 7, 8, 9, 10, 11, 12, 15, 16, 19, 20, 51, 52, bundle.length - 1]) {
    const bytes = Uint8Array.from(bundle);
    bytes[at] ^= 0xff;
    yield [`byte ${at} turned over`, bytes];
  }
  yield ["a byte more", Uint8Array.from([...bundle, 0])];
  yield ["twice", Uint8Array.from([...bundle, ...bundle])];
}

export async function damagedBundles() {
  const sets = ownSuites().find(([suite]) => suite === "tests/decisions")[1];
  const sources = [];
  for (const set of sets) {
    sources.push({ set, bundle: await bundleOf(set) });
  }
  const rng = new Rng(1);
  const [first] = sources;
  const damaged = [...cut(first.bundle)].map(([name, bundle]) => ({ ...first.set, name, bundle }));
  const altered = Array.from({ length: DAMAGES }, (_, number) => {
    const { set, bundle } = rng.pick(sources);
    return { ...set, name: `change ${number} of ${set.name}`, bundle: changed(rng, bundle) };
  });
  return [["damaged bundles", [...damaged, ...altered]]];
}
