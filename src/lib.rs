//! # orthrus: Cerbos policies, decided in process

pub mod policy;
pub mod text;
pub mod yaml;
