//! Which functions can fail on arguments of the types that they declare. Those that are not listed never do.
//!
//! The overflow of whole numbers in `+`, `-` and `*` is left out: attributes hold no whole numbers, and what turns
//! them into some is listed.

/// A way to fail.
pub(crate) struct Failure {
    pub(crate) function: &'static str,
    /// What decides whether it fails.
    pub(crate) on: On,
    /// How it fails, as the end of a sentence.
    pub(crate) why: &'static str,
}

/// What decides whether a call fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The text of the argument of this number, the receiver counted.
    Text(usize),
    /// The number, likewise.
    Number(usize),
    /// The whole number, likewise.
    Whole(usize),
    /// Bytes, likewise.
    Bytes(usize),
    /// The instant or span of time, likewise.
    Time(usize),
    /// The list, likewise.
    List(usize),
    /// All arguments together.
    All,
}

const fn failure(function: &'static str, on: On, why: &'static str) -> Failure {
    Failure { function, on, why }
}

const NO_TIMESTAMP: &str = "fails on text that is no timestamp";
const NO_DURATION: &str = "fails on text that is no duration";
const NO_NUMBER: &str = "fails on text that is no such number";
const NO_REGEX: &str = "fails on text that is no regular expression";
const NO_IP: &str = "fails on text that is no IP address";
const NO_CIDR: &str = "fails on text that is no range of IP addresses";
const NO_ZONE: &str = "fails on text that is no time zone";
const NO_SPIFFE: &str = "fails on text that is no SPIFFE ID or trust domain";
const NO_PATH: &str = "fails on paths or patterns that cannot be read";
const OUT_OF_RANGE: &str = "fails on numbers out of range";
const OVERFLOW: &str = "overflows where times are more than 292 years apart";
const BEYOND: &str = "fails on indexes beyond the ends";
const ZERO: &str = "fails when it divides by zero";
const EMPTY: &str = "fails on an empty list";

pub(crate) const FAILURES: &[Failure] = &[
    failure("timestamp", On::Text(0), NO_TIMESTAMP),
    failure("timestamp", On::Whole(0), OUT_OF_RANGE),
    failure("duration", On::Text(0), NO_DURATION),
    failure("timeSince", On::Time(0), OVERFLOW),
    failure("int", On::Text(0), NO_NUMBER),
    failure("int", On::Number(0), OUT_OF_RANGE),
    failure("uint", On::Text(0), NO_NUMBER),
    failure("uint", On::Number(0), OUT_OF_RANGE),
    failure("double", On::Text(0), NO_NUMBER),
    failure("bool", On::Text(0), "fails on text that is no boolean"),
    failure("string", On::Bytes(0), "fails on bytes that are no UTF-8"),
    failure("base64.decode", On::Text(0), "fails on text that is no base64"),
    failure("json.encode", On::All, "fails on values that JSON cannot say"),
    failure("_+_", On::Time(0), OVERFLOW),
    failure("_+_", On::Time(1), OVERFLOW),
    failure("_-_", On::Time(0), OVERFLOW),
    failure("_-_", On::Time(1), OVERFLOW),
    failure("_/_", On::Whole(1), ZERO),
    failure("_%_", On::Whole(1), ZERO),
    failure("matches", On::Text(1), NO_REGEX),
    failure("regex.replace", On::Text(1), NO_REGEX),
    failure("regex.replace", On::Text(2), "fails on replacements that name no group"),
    failure("regex.extract", On::Text(1), NO_REGEX),
    failure("regex.extractAll", On::Text(1), NO_REGEX),
    failure("charAt", On::All, BEYOND),
    failure("substring", On::All, BEYOND),
    failure("slice", On::All, BEYOND),
    failure("indexOf", On::Whole(2), BEYOND),
    failure("lastIndexOf", On::Whole(2), BEYOND),
    failure("format", On::All, "fails on values that do not fit their places"),
    failure("flatten", On::Whole(1), "fails on a negative depth"),
    failure("lists.range", On::Whole(0), OUT_OF_RANGE),
    failure("math.greatest", On::List(0), EMPTY),
    failure("math.least", On::List(0), EMPTY),
    failure("math.bitShiftLeft", On::Whole(1), OUT_OF_RANGE),
    failure("math.bitShiftRight", On::Whole(1), OUT_OF_RANGE),
    failure("value", On::All, "fails on an optional without a value"),
    failure("getFullYear", On::Text(1), NO_ZONE),
    failure("getMonth", On::Text(1), NO_ZONE),
    failure("getDayOfYear", On::Text(1), NO_ZONE),
    failure("getDayOfMonth", On::Text(1), NO_ZONE),
    failure("getDate", On::Text(1), NO_ZONE),
    failure("getDayOfWeek", On::Text(1), NO_ZONE),
    failure("getHours", On::Text(1), NO_ZONE),
    failure("getMinutes", On::Text(1), NO_ZONE),
    failure("getSeconds", On::Text(1), NO_ZONE),
    failure("getMilliseconds", On::Text(1), NO_ZONE),
    failure("inIPAddrRange", On::Text(0), NO_IP),
    failure("inIPAddrRange", On::Text(1), NO_CIDR),
    failure("ip", On::Text(0), NO_IP),
    failure("ip.isCanonical", On::Text(0), NO_IP),
    failure("cidr", On::Text(0), NO_CIDR),
    failure("containsIP", On::Text(1), NO_IP),
    failure("containsCIDR", On::Text(1), NO_CIDR),
    failure("spiffeID", On::Text(0), NO_SPIFFE),
    failure("spiffeTrustDomain", On::Text(0), NO_SPIFFE),
    failure("spiffeMatchTrustDomain", On::Text(0), NO_SPIFFE),
    failure("matchesID", On::Text(1), NO_SPIFFE),
    failure("basePath", On::Text(0), NO_PATH),
    failure("dirPath", On::Text(0), NO_PATH),
    failure("extPath", On::Text(0), NO_PATH),
    failure("joinPath", On::All, NO_PATH),
    failure("pathMatchAnyOf", On::All, NO_PATH),
    failure("relPath", On::All, NO_PATH),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::lib::TABLE;

    #[test]
    fn every_failure_is_of_a_function_of_the_table() {
        for failure in FAILURES {
            assert!(TABLE.find(failure.function).is_some(), "{}", failure.function);
        }
    }
}
