// Crockford's base 32: no I, L, O, U.
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;

// One system call serves 256 ids.
const pool = new Uint8Array(RANDOM_DIGITS * 256);
let taken = pool.length;

/** A ULID (https://github.com/ulid/spec): 48 bits of time in milliseconds, then 80 random bits, as 26 digits. */
export function ulid(milliseconds: number): string {
  let time = "";
  for (let rest = milliseconds, digit = 0; digit < TIME_DIGITS; digit++) {
    time = DIGITS.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  if (taken === pool.length) {
    crypto.getRandomValues(pool);
    taken = 0;
  }
  let random = "";
  for (const end = taken + RANDOM_DIGITS; taken < end; taken++) {
    // Five bits of each byte: as even as the byte itself.
    random += DIGITS.charAt((pool[taken] as number) & 31);
  }
  return time + random;
}
