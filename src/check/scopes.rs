//! Which scopes a request climbs through.

use bumpalo::Bump;
use bumpalo::collections::Vec;

use crate::policy::scope_parents;
use crate::table::{RuleTable, Scope, Symbol};

/// A scope of the request that policies have.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeStep<'a> {
    pub(super) symbol: Symbol,
    pub(super) name: &'a str,
    pub(super) scope: Scope,
}

/// The scopes from the requested one up to the root, those without policies left out. Empty when the
/// requested scope itself has no policy and the search is not lenient.
pub(super) fn climb<'a>(
    table: &RuleTable,
    arena: &'a Bump,
    scope: &'a str,
    lenient: bool,
    has_policies: impl Fn(&Scope) -> bool,
) -> &'a [ScopeStep<'a>] {
    let find = |name: &'a str| {
        let symbol = table.symbols.get(name)?;
        let scope = *table.scopes.get(&symbol).filter(|scope| has_policies(scope))?;
        Some(ScopeStep { symbol, name, scope })
    };
    let own = find(scope);
    if own.is_none() && !lenient {
        return &[];
    }
    let mut steps = Vec::new_in(arena);
    steps.extend(own);
    steps.extend(scope_parents(scope).filter_map(find));
    steps.into_bump_slice()
}
