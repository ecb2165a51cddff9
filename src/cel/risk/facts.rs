//! What is known of the parts of a request at one place of an expression, from the guards before it.

use std::collections::BTreeMap;

use super::shape::Kinds;

/// What guards have established. Facts are about the request, which does not change: they hold wherever
/// the guard holds.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    known: BTreeMap<String, Fact>,
}

/// What is known of one part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    /// Reading it does not raise.
    pub(super) present: bool,
    pub(super) kinds: Kinds,
    /// Elements that a list has at least.
    pub(super) min_len: usize,
}

const NOTHING: Fact = Fact { present: false, kinds: Kinds::ANY, min_len: 0 };

impl Facts {
    pub(super) fn of(&self, path: Option<&str>) -> Fact {
        path.and_then(|path| self.known.get(path)).copied().unwrap_or(NOTHING)
    }

    fn edit(mut self, path: &str, edit: impl FnOnce(&mut Fact)) -> Self {
        edit(self.known.entry(path.to_owned()).or_insert(NOTHING));
        self
    }

    pub(super) fn with_present(self, path: &str) -> Self {
        self.edit(path, |fact| fact.present = true)
    }

    pub(super) fn with_kinds(self, path: &str, kinds: Kinds) -> Self {
        self.edit(path, |fact| fact.kinds = fact.kinds.and(kinds))
    }

    pub(super) fn with_min_len(self, path: &str, len: usize) -> Self {
        self.edit(path, |fact| fact.min_len = fact.min_len.max(len))
    }

    /// What holds in both cases.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.known.retain(|path, fact| {
            let Some(also) = other.known.get(path) else { return false };
            fact.present &= also.present;
            fact.kinds = fact.kinds | also.kinds;
            fact.min_len = fact.min_len.min(also.min_len);
            true
        });
        self
    }

    /// What holds for every policy: variables and constants have other meanings in another.
    #[must_use]
    pub fn of_the_request(mut self) -> Self {
        self.known.retain(|path, _| path.starts_with(['P', 'R']));
        self
    }
}
