/** Paths, in the one spelling by which they are decided upon and sent on. */

/** Longer paths are refused. */
const MAX_LENGTH = 2048;

/** What a path may not hold: different servers take it for different things. */
const AMBIGUOUS: readonly [RegExp, string][] = [
  [/^(?!\/)/, "no slash at its beginning"],
  [/%2f/i, "an encoded slash"],
  [/%5c|\\/i, "a backslash"],
  [/[\x00-\x1f\x7f]|%(0[0-9a-f]|1[0-9a-f]|7f)/i, "a control character"],
  [/;|%3b/i, "a parameter after a semicolon"],
  [/[?#]/, "a query or a fragment"],
];

/** A path that is taken for one thing by all. */
export interface NormalPath {
  /** Decoded, one a segment; none of them is empty. */
  readonly segments: readonly string[];
  /** As it is sent on: each segment encoded again, in one way whichever it came in. */
  readonly text: string;
}

/**
 * A path without doubled, trailing or dot segments, decoded once. A text instead says why it has no meaning that is sure: servers behind this
 * one might read it otherwise, and serve what was never decided upon.
 */
export function normalizePath(pathname: string): NormalPath | string {
  if (pathname.length > MAX_LENGTH) {
    return `more than ${MAX_LENGTH} characters`;
  }
  const ambiguous = AMBIGUOUS.find(([pattern]) => pattern.test(pathname));
  if (ambiguous !== undefined) {
    return ambiguous[1];
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return "an encoding that is no UTF-8";
  }
  if (/%[0-9a-f]{2}/i.test(decoded)) {
    return "a double encoding";
  }
  // One letter can be written in several ways, which some file systems take for the same.
  if (decoded !== decoded.normalize("NFC")) {
    return "characters that are not composed";
  }
  const segments = decoded.split("/").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return "a dot segment";
  }
  return { segments, text: `/${segments.map(encodeURIComponent).join("/")}` };
}
