//! cli

pub mod verify;
