//! # orthrus: Cerbos policies, decided in process

pub mod cel;
pub mod text;
