//! The table as a whole: what stands where, and whether it leads anywhere.

use super::wire::{Malformed, Read, Reader, Wire, Writer};
use crate::schema::SchemaSet;
use crate::table::{Module, ResourcePolicy, RuleTable};

impl Wire for RuleTable {
    fn write(&self, out: &mut Writer) {
        self.symbols.write(out);
        self.modules.write(out);
        self.resources.write(out);
        self.principals.write(out);
        self.roles.write(out);
        self.principal_scopes.write(out);
        self.scopes.write(out);
        self.parent_roles.write(out);
        self.resource_attributes.write(out);
        self.common_attributes.write(out);
        self.sources.write(out);
        out.number(self.policy_count as u64);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let table = Self {
            symbols: Wire::read(from)?,
            modules: Wire::read(from)?,
            resources: Wire::read(from)?,
            principals: Wire::read(from)?,
            roles: Wire::read(from)?,
            principal_scopes: Wire::read(from)?,
            scopes: Wire::read(from)?,
            parent_roles: Wire::read(from)?,
            resource_attributes: Wire::read(from)?,
            common_attributes: Wire::read(from)?,
            schemas: SchemaSet::default(),
            sources: Wire::read(from)?,
            policy_count: u32::read(from)? as usize,
        };
        table.modules.iter().try_for_each(check_module)?;
        table.resources.values().try_for_each(check_resource_policy)?;
        Ok(table)
    }
}

fn check_module(module: &Module) -> Read<()> {
    let all = module.programs.len() == module.texts.len() && module.programs.len() == module.names.len();
    if all { Ok(()) } else { Err(Malformed("variables and their names are not as many")) }
}

/// Whether rules and their memos are there, and no list is longer than what it was made from. What else leads nowhere finds nothing
/// when a request is decided.
fn check_resource_policy(policy: &ResourcePolicy) -> Read<()> {
    let rule = |index: u32| policy.rules.get(index as usize);
    let rows = || policy.rules.iter().flat_map(|rule| &rule.rows);
    let candidates = || policy.actions.iter().flat_map(|(_, candidates)| candidates.iter());
    let rules_are_there = candidates()
        .all(|it| rule(it.rule).is_some_and(|rule| it.times as usize <= rule.actions.len()))
        && policy.patterns.iter().all(|(_, index)| rule(*index).is_some());
    let memos_are_there = policy.memos as usize <= rows().count()
        && rows().all(|row| row.memo < policy.memos)
        && rows().all(|row| row.derived_role.is_none_or(|it| (it as usize) < policy.derived_roles.len()));
    if rules_are_there && memos_are_there {
        Ok(())
    } else {
        Err(Malformed("a policy names a rule that it has not"))
    }
}
