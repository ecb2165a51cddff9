//! What the heads of the engine share: how policies are opened and requests decided when the two sides exchange nothing but
//! bytes, texts and numbers.
//!
//! Options and files come as JSON, requests as JSON or as a frame (see `orthrus::contract`). An answer is a number or a
//! text ([`Answer`]), and what fails is told in JSON ([`Failure`]). No file, clock or thread: the time comes in with a call.

mod answer;
mod decide;
mod failure;
mod open;
mod time;
mod warm_up;

pub use answer::{Answer, attributes_json};
pub use decide::{check_frame, check_json, with_arena};
pub use failure::{Failure, diagnostics_json};
pub use open::{PolicySet, Settings, from_bundle, from_files};
pub use time::{from_duration, from_milliseconds};
pub use warm_up::warm_up;
