//! Engines by number, shared by all threads of the process.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use orthrus::Engine;
use orthrus_host::{Failure, PolicySet};

use crate::memory;

/// An engine, and how long it took to load.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) policies: Arc<PolicySet>,
    pub(crate) took: Duration,
}

static ENGINES: RwLock<Vec<Option<Loaded>>> = RwLock::new(Vec::new());

/// Keeps an engine, whose loading began then, and gives its number.
pub(crate) fn add(policies: PolicySet, began: Instant) -> u32 {
    let loaded = Loaded { policies: Arc::new(policies), took: began.elapsed() };
    memory::give_back();
    let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
    engines.push(Some(loaded));
    u32::try_from(engines.len() - 1).unwrap_or(u32::MAX)
}

/// Forgets an engine; checks that are under way on other threads finish with it.
pub(crate) fn remove(number: u32) {
    let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
    let removed = engines.get_mut(number as usize).and_then(Option::take);
    drop(engines);
    if removed.is_some() {
        drop(removed);
        memory::give_back();
    }
}

/// An engine that lives on when its number is given back.
pub(crate) fn get(number: u32) -> Result<Loaded, crate::error::Failure> {
    let engines = ENGINES.read().unwrap_or_else(PoisonError::into_inner);
    let engine = engines.get(number as usize).cloned().flatten();
    engine.ok_or_else(|| Failure::Closed.into())
}

/// Runs with an engine.
pub(crate) fn with<T>(
    number: u32,
    run: impl FnOnce(&Engine) -> Result<T, Failure>,
) -> Result<T, crate::error::Failure> {
    with_policies(number, |policies| run(&policies.engine))
}

/// Runs with an engine and what is known of where its policies came from.
pub(crate) fn with_policies<T>(
    number: u32,
    run: impl FnOnce(&PolicySet) -> Result<T, Failure>,
) -> Result<T, crate::error::Failure> {
    let engines = ENGINES.read().unwrap_or_else(PoisonError::into_inner);
    match engines.get(number as usize) {
        Some(Some(loaded)) => Ok(run(&loaded.policies)?),
        _ => Err(Failure::Closed.into()),
    }
}
