//! Engines by number, shared by all threads of the process.

use std::sync::{Arc, PoisonError, RwLock};

use orthrus::Engine;
use orthrus_host::{Failure, PolicySet};

static ENGINES: RwLock<Vec<Option<Arc<PolicySet>>>> = RwLock::new(Vec::new());

/// Keeps an engine and gives its number.
pub(crate) fn add(policies: PolicySet) -> u32 {
    let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
    engines.push(Some(Arc::new(policies)));
    u32::try_from(engines.len() - 1).unwrap_or(u32::MAX)
}

/// Forgets an engine; checks that are under way on other threads finish with it.
pub(crate) fn remove(number: u32) {
    let mut engines = ENGINES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = engines.get_mut(number as usize) {
        *engine = None;
    }
}

/// An engine that lives on when its number is given back.
pub(crate) fn get(number: u32) -> Result<Arc<PolicySet>, crate::error::Failure> {
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
        Some(Some(policies)) => Ok(run(policies)?),
        _ => Err(Failure::Closed.into()),
    }
}
