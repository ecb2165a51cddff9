//! Rules and policies.

use super::wire::{Malformed, Read, Reader, Wire, Writer, fields, variants};
use crate::policy::{Effect, ScopePermissions};
use crate::table::{
    AttributeSet, AttributesRead, Candidate, Condition, DerivedRole, Expression, Glob, Matcher, Module,
    ModuleId, NameMap, Output, PrincipalPolicy, PrincipalRule, ResourcePolicy, ResourceRule, RoleMatcher,
    RolePolicy, RoleRule, Row, Scope, Symbol, Symbols,
};

variants!(Effect {
    0 => Allow,
    1 => Deny,
});

variants!(ScopePermissions {
    0 => OverrideParent,
    1 => RequireParentalConsentForAllows,
});

impl Wire for Symbol {
    fn write(&self, out: &mut Writer) {
        self.number().write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        u32::read(from).map(Self::numbered)
    }
}

impl Wire for Symbols {
    fn write(&self, out: &mut Writer) {
        self.names().to_vec().write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let names: Vec<Box<str>> = Wire::read(from)?;
        let mut symbols = Self::default();
        for name in &names {
            symbols.intern(name);
        }
        if symbols.names().len() == names.len() { Ok(symbols) } else { Err(Malformed("a name occurs twice")) }
    }
}

impl<V: Wire> Wire for NameMap<V> {
    fn write(&self, out: &mut Writer) {
        let mut entries: Vec<(&str, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|(name, _)| *name);
        out.number(entries.len() as u64);
        for (name, value) in entries {
            Box::<str>::from(name).write(out);
            value.write(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let entries: Vec<(Box<str>, V)> = Wire::read(from)?;
        let mut map = Self::default();
        entries.into_iter().for_each(|(name, value)| map.insert(&name, value));
        Ok(map)
    }
}

variants!(Matcher {
    0 => Any,
    1 => Literal(text),
    2 => Glob(glob),
});

impl Wire for Glob {
    fn write(&self, out: &mut Writer) {
        Box::<str>::from(self.text()).write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Self::new(&Box::<str>::read(from)?).map_err(|_| Malformed("a pattern is wrong"))
    }
}

fields!(Expression { text, program });

impl Wire for Condition {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Expr(expression) => {
                out.byte(0);
                expression.write(out);
            }
            Self::All(all) => {
                out.byte(1);
                all.write(out);
            }
            Self::Any(any) => {
                out.byte(2);
                any.write(out);
            }
            Self::None(none) => {
                out.byte(3);
                none.write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match from.byte()? {
            0 => Self::Expr(Wire::read(from)?),
            1 => Self::All(from.nested(Wire::read)?),
            2 => Self::Any(from.nested(Wire::read)?),
            3 => Self::None(from.nested(Wire::read)?),
            _ => return Err(Malformed("there is no such condition")),
        })
    }
}

fields!(Output { rule_activated, condition_not_met });

fields!(Module { programs, texts, names });

impl Wire for ModuleId {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        u32::read(from).map(Self)
    }
}

fields!(DerivedRole { name, parent_roles, any_parent, condition, module, uses, constants, origin });

fields!(Row { role, derived_role, memo });

variants!(RoleMatcher {
    0 => Any,
    1 => Named(role),
    2 => Glob(pattern),
});

fields!(ResourceRule { name, effect, condition, output, actions, rows });

fields!(Candidate { rule, times });

impl Wire for ResourcePolicy {
    fn write(&self, out: &mut Writer) {
        self.key.write(out);
        self.rules.write(out);
        self.derived_roles.write(out);
        self.module.write(out);
        self.uses.write(out);
        self.constants.write(out);
        self.imports.write(out);
        self.memos.write(out);
        self.reads_runtime.write(out);
        self.actions.write(out);
        self.patterns.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            key: Wire::read(from)?,
            rules: Wire::read(from)?,
            derived_roles: Wire::read(from)?,
            module: Wire::read(from)?,
            uses: Wire::read(from)?,
            constants: Wire::read(from)?,
            imports: Wire::read(from)?,
            memos: Wire::read(from)?,
            reads_runtime: Wire::read(from)?,
            // Known once they are enforced.
            schemas: None,
            actions: Wire::read(from)?,
            patterns: Wire::read(from)?,
        })
    }
}

fields!(PrincipalRule { name, resource, action, effect, condition, output });

fields!(PrincipalPolicy { key, rules, module, uses, constants, imports });

fields!(RoleRule { name, resource, allow_actions, denial, output });

fields!(RolePolicy { role, key, rules, module, uses, constants, imports });

fields!(Scope { resources, principals, permissions });

fields!(AttributeSet { all, names });

fields!(AttributesRead { principal, resource, clock });
