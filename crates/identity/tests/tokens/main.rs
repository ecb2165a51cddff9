//! Tokens and key sets: which are taken, and by which code the others are refused.

#![allow(clippy::unwrap_used, reason = "a test")]

mod keys;
mod support;
mod verify;
