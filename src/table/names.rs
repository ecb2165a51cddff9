//! A map from names, made for short names that are looked up on every check.

use std::hash::{Hash, Hasher};

use hashbrown::{Equivalent, HashMap};
use rustc_hash::FxBuildHasher;

/// Values by name. A fast hash without a seed is safe here: names are only added from policies; requests only look up.
#[derive(Clone, Debug)]
pub struct NameMap<V>(HashMap<Box<str>, V, FxBuildHasher>);

impl<V> Default for NameMap<V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<V> NameMap<V> {
    /// Sets the value of a name.
    pub fn insert(&mut self, name: &str, value: V) {
        self.0.insert(name.into(), value);
    }

    /// Names and values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The value of a name.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.get(&Lookup(name))
    }
}

struct Lookup<'n>(&'n str);

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Box<str>> for Lookup<'_> {
    /// Names have a handful of bytes: comparing them here is faster than calling the C library's comparison.
    #[inline]
    fn equivalent(&self, name: &Box<str>) -> bool {
        self.0.len() == name.len() && self.0.bytes().zip(name.bytes()).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_set() {
        let mut map = NameMap::default();
        map.insert("view", 1);
        map.insert("", 2);
        map.insert("view", 3);
        assert_eq!(
            (map.get("view"), map.get(""), map.get("vie"), map.get("views")),
            (Some(&3), Some(&2), None, None)
        );
    }
}
