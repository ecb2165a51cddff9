//! The functions that the module exports.

#![allow(unsafe_code, reason = "each export has a name of its own, which nothing else in the module has")]

use std::str;

use orthrus::Engine;
use orthrus_host::{Answer, Failure, attributes_json, check_frame, diagnostics_json, from_milliseconds};

use crate::state::{Status, ask, load, reserve_input, result, tell};

#[unsafe(no_mangle)]
extern "C" fn input(length: usize) -> *mut u8 {
    reserve_input(length)
}

#[unsafe(no_mangle)]
extern "C" fn result_address() -> *const u8 {
    result().0
}

#[unsafe(no_mangle)]
extern "C" fn result_length() -> usize {
    result().1
}

#[unsafe(no_mangle)]
extern "C" fn warm_up() -> Status {
    tell(orthrus_host::warm_up())
}

#[unsafe(no_mangle)]
extern "C" fn from_files(files: usize, options: usize) -> Status {
    load(|input| {
        let (files, options) = split(input, files, options)?;
        orthrus_host::from_files(text(files)?, text(options)?)
    })
}

#[unsafe(no_mangle)]
extern "C" fn from_bundle(bundle: usize, options: usize) -> Status {
    load(|input| {
        let (bundle, options) = split(input, bundle, options)?;
        orthrus_host::from_bundle(bundle, text(options)?)
    })
}

#[unsafe(no_mangle)]
extern "C" fn bundle() -> Status {
    ask(0, |policies, _| Ok(Answer::Text(policies.bundle_json())))
}

#[unsafe(no_mangle)]
extern "C" fn policy_count() -> Status {
    ask(0, |policies, _| Ok(number(policies.engine.policy_count())))
}

#[unsafe(no_mangle)]
extern "C" fn reads_clock() -> Status {
    ask(0, |policies, _| Ok(number(usize::from(policies.engine.reads_clock()))))
}

#[unsafe(no_mangle)]
extern "C" fn warnings() -> Status {
    ask(0, |policies, _| Ok(Answer::Text(diagnostics_json(policies.engine.warnings()).to_string())))
}

#[unsafe(no_mangle)]
extern "C" fn principal_attributes() -> Status {
    ask(0, |policies, _| Ok(Answer::Text(attributes_json(policies.engine.principal_attributes()))))
}

#[unsafe(no_mangle)]
extern "C" fn resource_attributes(kind: usize) -> Status {
    ask(kind, |policies, kind| {
        Ok(Answer::Text(attributes_json(&policies.engine.resource_attributes(text(kind)?))))
    })
}

#[unsafe(no_mangle)]
extern "C" fn check(frame: usize, now: f64) -> Status {
    ask(frame, |policies, frame| check_frame(&policies.engine, frame, || from_milliseconds(now)))
}

#[unsafe(no_mangle)]
extern "C" fn check_json(request: usize, now: f64, audit: i32) -> Status {
    let decide = |engine: &Engine, request: &str| {
        orthrus_host::check_json(engine, request, || from_milliseconds(now), audit != 0)
    };
    ask(request, |policies, request| decide(&policies.engine, text(request)?))
}

/// Two inputs that follow each other.
fn split(input: &[u8], first: usize, second: usize) -> Result<(&[u8], &[u8]), Failure> {
    let parts = input.split_at_checked(first).and_then(|(first, rest)| Some((first, rest.get(..second)?)));
    parts.ok_or_else(|| Failure::Answer("the input is longer than its buffer".to_owned()))
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(bytes).map_err(|error| Failure::Options(format!("the input is not UTF-8: {error}")))
}

fn number(number: usize) -> Answer {
    Answer::Mask(i32::try_from(number).unwrap_or(i32::MAX))
}
