//! Requests and responses in the JSON shape of Cerbos' API: all that the heads of the engine see.

mod frame;
mod json;
mod path;
mod request;
mod response;

pub use frame::Malformed;
pub use request::{
    CheckResourcesRequest, RequestError, ResourceEntry, aux_data_from_json, first_repeated,
    is_policy_version, is_scope,
};
pub use response::ResultEntry;
