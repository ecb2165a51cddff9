//! Every name that rules compare, numbered once: a check compares numbers.

use super::names::NameMap;

/// The number of a name in a [`Symbols`]. Equal names of one table have equal symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    pub(crate) fn numbered(number: u32) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// The names of a rule table.
#[derive(Debug, Default)]
pub struct Symbols {
    ids: NameMap<Symbol>,
    names: Vec<Box<str>>,
}

impl Symbols {
    /// The symbol of a name, given now if it has none.
    pub fn intern(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.ids.get(name) {
            return *symbol;
        }
        let symbol = Symbol(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.into());
        self.ids.insert(name, symbol);
        symbol
    }

    /// The symbol of a name that a policy uses; none for a name that no policy knows.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Symbol> {
        self.ids.get(name).copied()
    }

    /// All names, in the order of their numbers.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The name of a symbol of this table.
    #[must_use]
    pub fn name(&self, symbol: Symbol) -> &str {
        self.names.get(symbol.0 as usize).map_or("", |name| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol() {
        let mut symbols = Symbols::default();
        let view = symbols.intern("view");
        assert_ne!(view, symbols.intern("edit"));
        assert_eq!(view, symbols.intern("view"));
        assert_eq!(symbols.get("view"), Some(view));
        assert_eq!(symbols.get("drop"), None);
        assert_eq!(symbols.name(view), "view");
    }
}
