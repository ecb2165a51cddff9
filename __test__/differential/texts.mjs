/** Texts that make sense somewhere: the ordinary, the borderline and the wrong. */

const LONG = "x".repeat(40);

/** By the hints of `signatures.mjs`; `""` is any text. */
export const TEXTS = {
  "": ["", "a", "abc", "ann", "user", "Hello, World", "éàü", "日本語", "a😀b", " pad ", "a.b.c", "/a/b", "A", "0", LONG],
  key: ["a", "b", "k", "missing", "", "é"],
  number: ["0", "1", "-1", "42", "3.5", "1e3", "abc", "", "9223372036854775807", "9223372036854775808", " 1", "+5", "0x10"],
  bool: ["true", "false", "TRUE", "True", "t", "f", "1", "0", "yes", ""],
  time: [
    "2024-02-29T12:34:56Z",
    "2021-01-01T00:00:00.123456789Z",
    "1969-12-31T23:59:59.999Z",
    "2024-12-31T23:30:00-05:00",
    "2024-03-10T07:59:00+05:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
  ],
  badtime: ["2024-02-30T00:00:00Z", "2024-01-01", "yesterday", "", "2024-01-01T00:00:00", "2024-01-01t00:00:00z"],
  duration: ["0s", "1s", "90m", "1h30m", "-2h", "1.5s", "100ms", "1us", "1ns", "10000h", "+5s", ".5h"],
  badduration: ["1d", "", "5", "h", "1h 2m", "99999999999h"],
  zone: ["UTC", "America/New_York", "Asia/Kolkata", "Europe/London", "+05:30", "-08:00", "02:00", "", "Nowhere/Land", "local"],
  regex: ["a", "^a.*c$", "[a-z]+", "(a)(b)?", "\\d+", "", "a|b", "(?i)HELLO", "\\p{L}+", "^$", "x{2,3}", "(?P<n>a)", ".", "\\bann\\b"],
  badregex: ["(", "[a", "a{2,1}", "(?=a)", "\\1", "*"],
  replacement: ["", "x", "\\1", "\\0-\\0", "$1", "\\2", "\\"],
  ip: ["10.0.0.1", "127.0.0.1", "192.168.1.200", "::1", "2001:db8::1", "fe80::1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1"],
  badip: ["10.0.0", "256.1.1.1", "::ffff:10.0.0.1", "fe80::1%eth0", "", "10.0.0.01", "2001:DB8::1"],
  cidr: ["10.0.0.0/8", "10.1.2.3/8", "192.168.0.0/16", "0.0.0.0/0", "2001:db8::/32", "::/0", "127.0.0.1/32", "fe80::/10"],
  badcidr: ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::1/129", "", "10.0.0.0/-1", "10.0.0.0/08"],
  dotted: ["a", "a.b", "a.b.c", "a.b.d", "x.y", "", ".", "a..b", "a.b."],
  delimiter: [".", ":", "/", "", "b"],
  spiffe: ["spiffe://example.org/a/b", "spiffe://example.org", "spiffe://other.org/a", "spiffe://example.org/a"],
  badspiffe: ["http://example.org", "spiffe://", "spiffe://EXAMPLE.org/a", "spiffe://example.org/", "spiffe://example.org/a//b", "spiffe://a/.", ""],
  trustdomain: ["example.org", "spiffe://example.org", "spiffe://example.org/a", "other.org"],
  badtrustdomain: ["", "Example.org", "a b", "spiffe://"],
  path: [
    "/a/b/c.txt",
    "a/b",
    "/",
    "",
    ".",
    "..",
    "../x",
    "/a/../b",
    "a//b/",
    "C:\\dir\\file.tar.gz",
    "C:/dir/",
    "\\\\host\\share\\x",
    "/a/./b",
    "c:x",
    "/a/b/..",
    ".hidden",
  ],
  glob: ["/a/*", "**", "/a/**", "*.txt", "/a/?/c.txt", "[ab]/*", "{a,b}/**", "", "/a/b/c.txt", "C:\\dir\\*"],
  badglob: ["[a", "{a", "a\\", "[!", "["],
  base64: ["", "YQ==", "aGVsbG8=", "aGVsbG8", "YQ", "4pyT", "!!!!", "YWJj", "_w==", "/w=="],
};

/** For a hint, also what must fail: rarely, for a literal of that kind refuses the whole policy. */
export const BAD = new Set(["time", "duration", "regex", "ip", "cidr", "spiffe", "trustdomain", "glob"]);
