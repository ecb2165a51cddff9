//! # orthrus: Cerbos policies, decided in process
//!
//! `policy text → Policy → RuleTable → Decision`. The modules below stand in that order, and each uses only those
//! before it. [`text`] names texts and says what is wrong with them; [`yaml`] turns a text into nodes that know
//! where they stand; [`policy`] reads nodes as policies; [`cel`] checks, compiles and evaluates expressions;
//! [`schema`] validates attributes; [`compile`] makes one [`table`] of all policies, which [`bundle`] turns into bytes and back; [`check`] decides a request
//! against it; [`contract`] gives requests and responses the JSON shape of Cerbos' API; an [`Engine`] is a table
//! with its options.
//!
//! Nothing here reads files, clocks or the network: data in, decision out.

pub mod text;

pub mod yaml;

pub mod policy;

pub mod cel;

pub mod schema;

pub mod table;

pub mod compile;

pub mod bundle;

pub mod check;

pub mod contract;

mod engine;

pub use engine::{Call, Engine, Packed, PayloadError, pack};
