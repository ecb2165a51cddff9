//! The engine as an addon of Node.js: converts and calls, nothing else.
//!
//! JavaScript holds an engine by a number. Requests come as bytes or JSON (see `orthrus::contract`), answers go back
//! as one number or string: objects that cross the boundary field by field would cost more than the decision.
//! The classes that users see are in `js/`.

mod bytes;
mod call;
mod cli;
mod engines;
mod error;
mod jwt;
mod memory;
mod open;
mod server;

use std::sync::Arc;
use std::time::Instant;

use napi::bindgen_prelude::{AsyncTask, Either, External, Function, Object};
use napi::threadsafe_function::UnknownReturnValue;
use napi::{Env, Result};
use napi_derive::napi;
use orthrus::cel::Timestamp;
use orthrus_host::{Answer, attributes_json, diagnostics_json, from_duration, from_milliseconds};
use orthrus_identity::Verifier;

use cli::{Compile, MakeBundle, Run};
use open::{Open, Origin};
use server::{Server, Stop};

/// Opens a policy directory on a worker thread. Options are JSON.
#[napi(catch_unwind)]
pub fn open(directory: String, options: String) -> AsyncTask<Open> {
    AsyncTask::new(Open::new(Origin::Directory(directory.into()), options))
}

/// Opens a policy directory on the calling thread.
#[napi(catch_unwind)]
pub fn open_sync(directory: String, options: String) -> Result<u32> {
    Open::new(Origin::Directory(directory.into()), options).run()
}

/// Compiles files, a JSON object of texts by path, on a worker thread.
#[napi(catch_unwind)]
pub fn from_files(files: String, options: String) -> AsyncTask<Open> {
    AsyncTask::new(Open::new(Origin::Files(files), options))
}

/// Compiles files on the calling thread.
#[napi(catch_unwind)]
pub fn from_files_sync(files: String, options: String) -> Result<u32> {
    Open::new(Origin::Files(files), options).run()
}

/// Loads a bundle on the calling thread, which takes little time. Options are JSON.
#[napi(catch_unwind)]
pub fn from_bundle(bundle: &[u8], options: String) -> Result<u32> {
    let began = Instant::now();
    let policies = orthrus_host::from_bundle(bundle, &options).map_err(error::Failure::from)?;
    Ok(engines::add(policies, began))
}

/// Which bundle the policies came from, in JSON; `null` where they came as text.
#[napi(catch_unwind)]
pub fn bundle(engine: u32) -> Result<String> {
    Ok(engines::with_policies(engine, |policies| Ok(policies.bundle_json()))?)
}

/// Runs the command line on a worker thread, on the streams of the process; gives the exit code.
#[napi(catch_unwind)]
pub fn cli(arguments: Vec<String>) -> AsyncTask<Run> {
    AsyncTask::new(Run(arguments))
}

/// Compiles a policy directory and runs its tests, on a worker thread; gives a report in JSON. Options are JSON.
#[napi(catch_unwind)]
pub fn compile(directory: String, options: String) -> AsyncTask<Compile> {
    AsyncTask::new(Compile { directory, options })
}

/// Compiles a policy directory into a bundle, on a worker thread. Options are JSON.
#[napi(catch_unwind)]
pub fn make_bundle(directory: String, options: String) -> AsyncTask<MakeBundle> {
    AsyncTask::new(MakeBundle { directory, options })
}

/// Forgets an engine. Its number is never given again.
#[napi(catch_unwind)]
pub fn close(engine: u32) {
    engines::remove(engine);
}

/// How many policies an engine holds.
#[napi(catch_unwind)]
pub fn policy_count(engine: u32) -> Result<u32> {
    Ok(engines::with(engine, |engine| Ok(u32::try_from(engine.policy_count()).unwrap_or(u32::MAX)))?)
}

/// What is odd about the policies: a JSON list of diagnostics.
#[napi(catch_unwind)]
pub fn warnings(engine: u32) -> Result<String> {
    Ok(engines::with(engine, |engine| Ok(diagnostics_json(engine.warnings()).to_string()))?)
}

/// Attributes that policies can read of principals: a JSON list of names, or `null` for all.
#[napi(catch_unwind)]
pub fn principal_attributes(engine: u32) -> Result<String> {
    Ok(engines::with(engine, |engine| Ok(attributes_json(engine.principal_attributes())))?)
}

/// Attributes that policies can read of resources of a kind: a JSON list of names, or `null` for all.
#[napi(catch_unwind)]
pub fn resource_attributes(engine: u32, kind: String) -> Result<String> {
    Ok(engines::with(engine, |engine| Ok(attributes_json(&engine.resource_attributes(&kind))))?)
}

/// Adds what napi's macro does not.
#[napi(module_exports)]
pub fn exports(exports: Object<'_>, env: Env) -> Result<()> {
    call::define_check(env, &exports)
}

/// Decides a request in JSON, at an instant in milliseconds since 1970, or now. For an audit log, the answer tells
/// metadata, evaluation errors and effective policies, asked for or not.
#[napi(catch_unwind)]
pub fn check_json(
    engine: u32,
    request: String,
    at: Option<f64>,
    audit: Option<bool>,
) -> Result<Either<i32, String>> {
    let clock = || at.map_or_else(now, from_milliseconds);
    let audit = audit.unwrap_or_default();
    let answer = engines::with(engine, |engine| orthrus_host::check_json(engine, &request, clock, audit))?;
    Ok(match answer {
        Answer::Mask(mask) => Either::A(mask),
        Answer::Text(text) => Either::B(text),
    })
}

/// Makes a verifier of keys: of a JWK set that is published (`remote`) or our own (`local`), of keys in PEM (`pem`), of a
/// `secret`, or of `none`, which believes any signature. Rules are JSON.
#[napi(catch_unwind)]
pub fn jwt_verifier(source: String, keys: &[u8], rules: String) -> Result<External<Arc<Verifier>>> {
    Ok(External::new(Arc::new(jwt::verifier(&source, keys, &rules)?)))
}

/// Verifies a token at an instant in milliseconds since 1970: a JSON list of header and claims.
#[napi(catch_unwind)]
pub fn verify_jwt(verifier: &External<Arc<Verifier>>, token: String, now: f64) -> Result<String> {
    Ok(jwt::verify(verifier, &token, now)?)
}

/// Starts a server that decides by an engine. Options are JSON; `hear` gets JSON, an event or a question with a number.
#[napi(catch_unwind)]
pub fn serve(
    engine: u32,
    options: String,
    hear: Function<'_, String, UnknownReturnValue>,
) -> Result<External<Server>> {
    Ok(External::new(server::serve(engine, &options, hear)?))
}

/// Where a server listens, in JSON; `null` once it is stopped.
#[napi(catch_unwind)]
pub fn server_addresses(server: &External<Server>) -> String {
    server.addresses()
}

/// Has a server decide by another engine.
#[napi(catch_unwind)]
pub fn server_policies(server: &External<Server>, engine: u32) -> Result<()> {
    server.set_policies(engine)
}

/// Tells a server that newer policies are refused.
#[napi(catch_unwind)]
pub fn server_policies_failed(server: &External<Server>, message: String) {
    server.policies_failed(message);
}

/// Gives a server the keys of a key set; none where they may serve no longer.
#[napi(catch_unwind)]
pub fn server_keys(server: &External<Server>, key_set: u32, verifier: Option<&External<Arc<Verifier>>>) {
    server.set_keys(key_set, verifier);
}

/// Answers a question of a server, or says why there is no answer.
#[napi(catch_unwind)]
pub fn server_answer(server: &External<Server>, number: u32, error: Option<String>, answer: bool) {
    server.answer(number, error, answer);
}

/// Stops a server; what is under way may take so many milliseconds.
#[napi(catch_unwind)]
pub fn stop_server(server: &External<Server>, grace: f64) -> AsyncTask<Stop> {
    AsyncTask::new(server.stop(grace))
}

/// Reads a configuration file of a server. `overrides` is a JSON list of paths and values, `environment` a JSON object.
#[napi(catch_unwind)]
pub fn read_server_config(
    name: String,
    text: String,
    overrides: String,
    environment: String,
) -> Result<String> {
    server::config(name, text, &overrides, &environment)
}

fn now() -> Timestamp {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    from_duration(time.unwrap_or_default())
}
