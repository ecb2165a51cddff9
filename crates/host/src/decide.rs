//! Requests in, answers out.

use std::cell::Cell;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::Timestamp;
use orthrus::check::Detail;
use orthrus::contract::{CheckResourcesRequest, RequestError};

use crate::answer::{Answer, Decided};
use crate::failure::Failure;

/// Decides a request in its compact form. The clock is asked only where some policy reads it.
///
/// # Errors
/// The frame is malformed, or the request is wrong.
pub fn check_frame(
    engine: &Engine,
    frame: &[u8],
    clock: impl FnOnce() -> Timestamp,
) -> Result<Answer, Failure> {
    with_arena(|arena| {
        let request = CheckResourcesRequest::from_frame(frame, arena).map_err(Failure::Frame)?;
        decide(engine, request, clock, false, arena)
    })
}

/// Decides a request in JSON. The clock is asked only where some policy reads it. For an audit log, the answer tells
/// metadata, evaluation errors and effective policies, asked for or not.
///
/// # Errors
/// The request is wrong.
pub fn check_json(
    engine: &Engine,
    request: &str,
    clock: impl FnOnce() -> Timestamp,
    audit: bool,
) -> Result<Answer, Failure> {
    with_arena(|arena| decide(engine, CheckResourcesRequest::from_json(request, arena), clock, audit, arena))
}

fn decide<'a>(
    engine: &'a Engine,
    request: Result<CheckResourcesRequest<'a>, RequestError>,
    clock: impl FnOnce() -> Timestamp,
    audit: bool,
    arena: &'a Bump,
) -> Result<Answer, Failure> {
    let request = request.map_err(Failure::Request)?;
    let now = if engine.reads_clock() { clock() } else { Timestamp::default() };
    let detail = Detail { metadata: audit || request.include_meta, evaluation_errors: audit, trace: audit };
    let decisions = engine.check_resources(&request, now, detail, arena);
    Decided { request: &request, decisions, audit: audit.then(|| engine.policy_sources()) }.answer()
}

/// Lends the thread's arena, emptied afterwards: what a check needs is allocated once and used again.
pub fn with_arena<T>(run: impl FnOnce(&Bump) -> T) -> T {
    /// An arena that one huge request has blown up is not kept.
    const KEEP_AT_MOST: usize = 1 << 20;
    thread_local! {
        static ARENA: Cell<Option<Bump>> = const { Cell::new(None) };
    }
    let mut arena = ARENA.take().unwrap_or_default();
    let result = run(&arena);
    arena.reset();
    if arena.allocated_bytes() <= KEEP_AT_MOST {
        ARENA.set(Some(arena));
    }
    result
}
