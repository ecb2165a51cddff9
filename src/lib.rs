//! # orthrus: Cerbos policies, decided in process

pub mod text;

pub mod cel;
