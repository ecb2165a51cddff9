/** A seeded source of random choices: the same seed gives the same run on every machine. */

export class Rng {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1), by mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(items) {
    return items[this.int(0, items.length - 1)];
  }

  /** Some of the items, each at most once, in random order. */
  sample(items, count) {
    const rest = [...items];
    const taken = [];
    while (taken.length < count && rest.length > 0) {
      taken.push(...rest.splice(this.int(0, rest.length - 1), 1));
    }
    return taken;
  }

  /** Picks from pairs of a weight and an item. */
  weighted(pairs) {
    const total = pairs.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.next() * total;
    for (const [weight, item] of pairs) {
      left -= weight;
      if (left < 0) {
        return item;
      }
    }
    return pairs.at(-1)[1];
  }

  /** `make(i)` so many times. */
  times(count, make) {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  /** An independent source, so that what one part draws does not shift the others. */
  fork() {
    return new Rng(Math.floor(this.next() * 2 ** 32));
  }
}
