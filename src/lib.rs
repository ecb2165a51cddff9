//! # orthrus: Cerbos policies, decided in process

pub mod text;
