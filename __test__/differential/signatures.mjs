/**
 * Every function and operator of the language by its signatures. A type may carry a hint after `:`, which tells the generator
 * what texts make sense there; `A` and `B` stand for any simple type.
 */

const SIGNATURES = `
_+_(int, int) -> int
_+_(uint, uint) -> uint
_+_(double, double) -> double
_+_(string, string) -> string
_+_(bytes, bytes) -> bytes
_+_(list(A), list(A)) -> list(A)
_+_(duration, duration) -> duration
_+_(timestamp, duration) -> timestamp
_+_(duration, timestamp) -> timestamp
_-_(int, int) -> int
_-_(uint, uint) -> uint
_-_(double, double) -> double
_-_(duration, duration) -> duration
_-_(timestamp, duration) -> timestamp
_-_(timestamp, timestamp) -> duration
_*_(int, int) -> int
_*_(uint, uint) -> uint
_*_(double, double) -> double
_/_(int, int) -> int
_/_(uint, uint) -> uint
_/_(double, double) -> double
_%_(int, int) -> int
_%_(uint, uint) -> uint
-_(int) -> int
-_(double) -> double
!_(bool) -> bool
_&&_(bool, bool) -> bool
_||_(bool, bool) -> bool
_?_:_(bool, A, A) -> A
_==_(A, A) -> bool
_!=_(A, A) -> bool
_==_(number, number) -> bool
_in_(A, list(A)) -> bool
_in_(string, map(string, A)) -> bool
_<_(ordered, ordered) -> bool
_<=_(ordered, ordered) -> bool
_>_(ordered, ordered) -> bool
_>=_(ordered, ordered) -> bool
_<_(number, number) -> bool
_<=_(number, number) -> bool
_>_(number, number) -> bool
_>=_(number, number) -> bool
size(string) -> int
size(bytes) -> int
size(list(A)) -> int
size(map(string, A)) -> int
string.size() -> int
bytes.size() -> int
list(A).size() -> int
map(string, A).size() -> int
hierarchy.size() -> int
_[_](list(A), int) -> A
_[_](map(string, B), string:key) -> B
_[_](optional(list(A)), int) -> optional(A)
_[_](optional(map(string, B)), string:key) -> optional(B)
_[_](hierarchy, int) -> string
_[?_](list(A), int) -> optional(A)
_[?_](optional(list(A)), int) -> optional(A)
_[?_](map(string, B), string:key) -> optional(B)
_[?_](optional(map(string, B)), string:key) -> optional(B)
int(int) -> int
int(double) -> int
int(duration) -> int
int(string:number) -> int
int(timestamp) -> int
int(uint) -> int
uint(uint) -> uint
uint(double) -> uint
uint(int) -> uint
uint(string:number) -> uint
double(double) -> double
double(int) -> double
double(string:number) -> double
double(uint) -> double
string(string) -> string
string(bool) -> string
string(bytes) -> string
string(double) -> string
string(duration) -> string
string(int) -> string
string(timestamp) -> string
string(uint) -> string
string(ip) -> string
string(cidr) -> string
bytes(bytes) -> bytes
bytes(string) -> bytes
bool(bool) -> bool
bool(string:bool) -> bool
timestamp(timestamp) -> timestamp
timestamp(int) -> timestamp
timestamp(string:time) -> timestamp
duration(duration) -> duration
duration(string:duration) -> duration
dyn(A) -> dyn
type(A) -> type(A)
id(dyn) -> dyn
string.contains(string) -> bool
string.startsWith(string) -> bool
string.endsWith(string) -> bool
string.charAt(int) -> string
string.indexOf(string) -> int
string.indexOf(string, int) -> int
string.lastIndexOf(string) -> int
string.lastIndexOf(string, int) -> int
list(string).join() -> string
list(string).join(string) -> string
string.split(string) -> list(string)
string.split(string, int) -> list(string)
string.replace(string, string) -> string
string.replace(string, string, int) -> string
string.substring(int) -> string
string.substring(int, int) -> string
string.trim() -> string
string.lowerAscii() -> string
string.upperAscii() -> string
strings.quote(string) -> string
timestamp.getFullYear() -> int
timestamp.getFullYear(string:zone) -> int
timestamp.getMonth() -> int
timestamp.getMonth(string:zone) -> int
timestamp.getDate() -> int
timestamp.getDate(string:zone) -> int
timestamp.getDayOfMonth() -> int
timestamp.getDayOfMonth(string:zone) -> int
timestamp.getDayOfWeek() -> int
timestamp.getDayOfWeek(string:zone) -> int
timestamp.getDayOfYear() -> int
timestamp.getDayOfYear(string:zone) -> int
timestamp.getHours() -> int
timestamp.getHours(string:zone) -> int
duration.getHours() -> int
timestamp.getMinutes() -> int
timestamp.getMinutes(string:zone) -> int
duration.getMinutes() -> int
timestamp.getSeconds() -> int
timestamp.getSeconds(string:zone) -> int
duration.getSeconds() -> int
timestamp.getMilliseconds() -> int
timestamp.getMilliseconds(string:zone) -> int
duration.getMilliseconds() -> int
list(A).slice(int, int) -> list(A)
list(list(A)).flatten() -> list(A)
list(dyn).flatten(int) -> list(dyn)
list(int).sort() -> list(int)
list(uint).sort() -> list(uint)
list(double).sort() -> list(double)
list(bool).sort() -> list(bool)
list(duration).sort() -> list(duration)
list(timestamp).sort() -> list(timestamp)
list(string).sort() -> list(string)
list(bytes).sort() -> list(bytes)
lists.range(int:small) -> list(int)
list(A).reverse() -> list(A)
string.reverse() -> string
list(A).distinct() -> list(A)
hasIntersection(list(A), list(A)) -> bool
list(A).hasIntersection(list(A)) -> bool
has_intersection(list(A), list(A)) -> bool
list(A).has_intersection(list(A)) -> bool
isSubset(list(A), list(A)) -> bool
list(A).isSubset(list(A)) -> bool
is_subset(list(A), list(A)) -> bool
list(A).is_subset(list(A)) -> bool
intersect(list(A), list(A)) -> list(A)
list(A).intersect(list(A)) -> list(A)
except(list(A), list(A)) -> list(A)
list(A).except(list(A)) -> list(A)
sets.contains(list(A), list(A)) -> bool
sets.equivalent(list(A), list(A)) -> bool
sets.intersects(list(A), list(A)) -> bool
math.greatest(double) -> double
math.greatest(int) -> int
math.greatest(uint) -> uint
math.greatest(double, double) -> double
math.greatest(int, int) -> int
math.greatest(uint, uint) -> uint
math.greatest(number, number) -> dyn
math.greatest(int, int, int) -> int
math.greatest(number, number, number) -> dyn
math.greatest(list(double)) -> double
math.greatest(list(int)) -> int
math.greatest(list(uint)) -> uint
math.least(double) -> double
math.least(int) -> int
math.least(uint) -> uint
math.least(double, double) -> double
math.least(int, int) -> int
math.least(uint, uint) -> uint
math.least(number, number) -> dyn
math.least(double, double, double) -> double
math.least(list(double)) -> double
math.least(list(int)) -> int
math.least(list(uint)) -> uint
math.ceil(double) -> double
math.floor(double) -> double
math.round(double) -> double
math.trunc(double) -> double
math.isInf(double) -> bool
math.isNaN(double) -> bool
math.isFinite(double) -> bool
math.abs(double) -> double
math.abs(int) -> int
math.abs(uint) -> uint
math.sign(double) -> double
math.sign(int) -> int
math.sign(uint) -> uint
math.sqrt(double) -> double
math.sqrt(int) -> double
math.sqrt(uint) -> double
math.bitAnd(int, int) -> int
math.bitAnd(uint, uint) -> uint
math.bitOr(int, int) -> int
math.bitOr(uint, uint) -> uint
math.bitXor(int, int) -> int
math.bitXor(uint, uint) -> uint
math.bitNot(int) -> int
math.bitNot(uint) -> uint
math.bitShiftLeft(int, int) -> int
math.bitShiftLeft(uint, int) -> uint
math.bitShiftRight(int, int) -> int
math.bitShiftRight(uint, int) -> uint
optional.of(A) -> optional(A)
optional.ofNonZeroValue(A) -> optional(A)
optional.none() -> optional(A)
optional(A).hasValue() -> bool
optional(A).value() -> A
optional(A).or(optional(A)) -> optional(A)
optional(A).orValue(A) -> A
list(A).first() -> optional(A)
list(A).last() -> optional(A)
optional.unwrap(list(optional(A))) -> list(A)
list(optional(A)).unwrapOpt() -> list(A)
base64.encode(bytes) -> string
base64.decode(string:base64) -> bytes
json.encode(A) -> string
matches(string, string:regex) -> bool
string.matches(string:regex) -> bool
regex.replace(string, string:regex, string:replacement) -> string
regex.replace(string, string:regex, string:replacement, int) -> string
regex.extract(string, string:regex) -> optional(string)
regex.extractAll(string, string:regex) -> list(string)
string:ip.inIPAddrRange(string:cidr) -> bool
ip(string:ip) -> ip
cidr.ip() -> ip
isIP(string:ip) -> bool
ip.isCanonical(string:ip) -> bool
ip.family() -> int
ip.isLoopback() -> bool
ip.isUnspecified() -> bool
ip.isGlobalUnicast() -> bool
ip.isLinkLocalUnicast() -> bool
ip.isLinkLocalMulticast() -> bool
cidr(string:cidr) -> cidr
isCIDR(string:cidr) -> bool
cidr.containsIP(ip) -> bool
cidr.containsIP(string:ip) -> bool
cidr.containsCIDR(cidr) -> bool
cidr.containsCIDR(string:cidr) -> bool
cidr.masked() -> cidr
cidr.isMask() -> bool
cidr.prefixLength() -> int
hierarchy(string:dotted) -> hierarchy
hierarchy(string:dotted, string:delimiter) -> hierarchy
hierarchy(list(string)) -> hierarchy
hierarchy.ancestorOf(hierarchy) -> bool
hierarchy.descendentOf(hierarchy) -> bool
hierarchy.immediateParentOf(hierarchy) -> bool
hierarchy.immediateChildOf(hierarchy) -> bool
hierarchy.siblingOf(hierarchy) -> bool
hierarchy.overlaps(hierarchy) -> bool
hierarchy.commonAncestors(hierarchy) -> hierarchy
_==_(hierarchy, hierarchy) -> bool
_==_(ip, ip) -> bool
_==_(cidr, cidr) -> bool
spiffeID(string:spiffe) -> spiffe_id
spiffeTrustDomain(string:trustdomain) -> spiffe_trust_domain
spiffe_id.isMemberOf(spiffe_trust_domain) -> bool
spiffe_id.path() -> string
spiffe_id.trustDomain() -> spiffe_trust_domain
spiffe_trust_domain.id() -> dyn
spiffe_trust_domain.name() -> string
spiffeMatchAny() -> spiffe_matcher
spiffeMatchExact(spiffe_id) -> spiffe_matcher
spiffeMatchExact(string:spiffe) -> spiffe_matcher
spiffeMatchOneOf(list(spiffe_id)) -> spiffe_matcher
spiffeMatchOneOf(list(string:spiffe)) -> spiffe_matcher
spiffeMatchTrustDomain(spiffe_trust_domain) -> spiffe_matcher
spiffeMatchTrustDomain(string:trustdomain) -> spiffe_matcher
spiffe_matcher.matchesID(spiffe_id) -> bool
spiffe_matcher.matchesID(string:spiffe) -> bool
basePath(string:path) -> string
dirPath(string:path) -> string
extPath(string:path) -> string
volumeName(string:path) -> string
joinPath(list(string:path)) -> string
pathHasPrefix(string:path, string:path) -> bool
string:path.pathHasPrefix(string:path) -> bool
pathMatch(string:path, string:glob) -> bool
string:path.pathMatch(string:glob) -> bool
pathMatchAnyOf(string:path, list(string:glob)) -> bool
string:path.pathMatchAnyOf(list(string:glob)) -> bool
relPath(string:path, string:path) -> string
`;

/** Splits at the commas outside of parentheses. */
function splitTypes(text) {
  const types = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    depth += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
    if (at === text.length || (text[at] === "," && depth === 0)) {
      types.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return types.filter((type) => type !== "");
}

/** The parameters of a type: `map(string, A)` gives `["string", "A"]`. */
export function parameters(type) {
  const open = type.indexOf("(");
  return open < 0 ? [] : splitTypes(type.slice(open + 1, -1));
}

const NAMESPACES = /^(?:lists|strings|sets|math|optional|base64|json|regex|ip)\.\w+$/;

function parse(line) {
  const arrow = line.lastIndexOf(" -> ");
  const call = line.slice(0, arrow);
  const open = openingOfLast(call);
  const head = call.slice(0, open);
  const args = splitTypes(call.slice(open + 1, -1));
  const result = line.slice(arrow + 4);
  const dot = head.lastIndexOf(".");
  const isNamespaced =
    NAMESPACES.test(head) && !/^ip\.(?:family|is(?!Canonical))/.test(head) && head !== "optional.value";
  if (dot < 0 || isNamespaced) {
    return { name: head, receiver: undefined, args, result };
  }
  return { name: head.slice(dot + 1), receiver: head.slice(0, dot), args, result };
}

/** Where the argument list begins: the parenthesis that matches the last one. */
function openingOfLast(call) {
  let depth = 0;
  for (let at = call.length - 1; at >= 0; at--) {
    depth += call[at] === ")" ? 1 : call[at] === "(" ? -1 : 0;
    if (depth === 0) {
      return at;
    }
  }
  throw new Error(`no argument list: ${call}`);
}

/**
 * What gives `dyn` here is of no certain type: in the PDP `id()` of a trust domain, which by its signature is a string, gives the
 * trust domain itself.
 */

/** `{name, receiver, args, result}`; the receiver is `undefined` for a function that is not a member. */
export const FUNCTIONS = SIGNATURES.trim().split("\n").map(parse);
