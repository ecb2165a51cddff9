//! Headers by which a client could name itself.

/// Those by which gateways and applications name a person, or that change what a request asks for.
const NAMES: [&str; 26] = [
    "x-user-id",
    "x-user-roles",
    "x-user-email",
    "x-user",
    "x-roles",
    "x-principal",
    "x-authenticated-user",
    "x-authenticated-userid",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-auth-request-preferred-username",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-remote-user",
    "remote-user",
    "x-jwt-claims",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];

const PREFIXES: [&str; 7] = [
    "x-user-",
    "x-orthrus-",
    "x-jwt-claim-",
    "x-clerk-",
    "x-workos-",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
];

/// Whether a header names a person, or changes what a request asks for: whoever sends it wants to be somebody else. The same
/// names as `js/workers/identity.ts` has.
#[must_use]
pub fn names_identity(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    NAMES.contains(&header.as_str()) || PREFIXES.iter().any(|prefix| header.starts_with(prefix))
}
