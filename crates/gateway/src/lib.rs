//! What a request that a proxy asks about means.
//!
//! [`normalize_path`] gives a path its one spelling, or says why it has none that is sure; a [`Routes`] table says which
//! action on which resource a request asks for; a [`ClaimsMapping`] says whose principal the verified claims of a token
//! are. They give what `orthrus/workers`, `orthrus/clerk` and `orthrus/workos` give in JavaScript: one table of cases
//! (`tests/parity.json`) holds both to that.
//!
//! Nothing here reads files, clocks or the network: what a request says comes in, and what it means goes out.

mod certificate;
mod claims;
mod headers;
mod path;
mod percent;
mod route_test;
mod routes;

pub use certificate::principal_from_certificate;
pub use claims::{
    ClaimsMapping, ClerkMapping, GatewayPrincipal, MappingError, MappingErrorCode, OnUnauthenticated,
    OrgRolePrefix, WorkOsMapping,
};
pub use headers::names_identity;
pub use path::{NormalPath, normalize_path};
pub use route_test::{Difference, RouteTest, RouteTestFailure};
pub use routes::{AskedRequest, MatchedResource, RouteMatch, Routes, RoutesFile};
