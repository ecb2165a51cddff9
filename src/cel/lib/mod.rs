//! The function table: every function and arithmetic operator once, with its signatures, its
//! implementation and a line of documentation. The checker, the folder and the evaluator share it.
//!
//! To add a function: an entry in its family's `FUNCTIONS`, and a test.

mod arithmetic;
mod conversions;
mod encoders;
mod failures;
mod format;
mod glob;
mod go_float;
mod hierarchy;
mod ip;
mod lists;
mod math;
mod mismatch;
mod netip;
pub(crate) mod network;
mod optionals;
mod paths;
mod re2;
pub(crate) mod regex;
mod sets;
mod spiffe;
mod strings;
mod times;

use std::collections::HashMap;
use std::sync::LazyLock;

use bumpalo::Bump;

use super::types::Type;
use super::{Activation, EvalError, EvalResult, Value};

pub(crate) use arithmetic::{index, index_optional, is_index};
pub(crate) use encoders::{base64_bytes, base64_text};
pub(crate) use failures::{FAILURES, On};
pub(crate) use format::{display, format_call, go_text};
pub(crate) use lists::check_sortable;
pub(crate) use mismatch::unordered;
pub use network::Cidr;
pub(crate) use spiffe::trust_domain;

/// The implementation of a function. Arguments (the receiver first) are those of one of the
/// signatures, unless the types were not known before evaluation: then what does not fit is
/// [`NoSuchOverload`](super::EvalError::NoSuchOverload).
pub(crate) type Run = for<'a> fn(&Activation<'a>, &[Value<'a>]) -> EvalResult<'a>;

/// A function as its family declares it.
pub(crate) struct Declaration {
    /// The name; with a dot for a function in a name space.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) doc: &'static str,
    /// `name(int, list(A)) -> A` for a global function, `string.name() -> bool` for a member.
    pub(crate) signatures: &'static [&'static str],
    pub(crate) run: Run,
}

/// A function of the table: all declarations of one name.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) overloads: Vec<Overload>,
    /// What runs as `name(x)`.
    global: Option<Run>,
    /// What runs as `x.name()`.
    member: Option<Run>,
}

/// One signature of a function.
pub(crate) struct Overload {
    pub(crate) text: &'static str,
    /// Whether the first argument stands before the dot.
    pub(crate) member: bool,
    pub(crate) args: Vec<Type>,
    pub(crate) result: Type,
}

/// No function takes more arguments than this, the receiver counted.
pub(crate) const MAX_ARGS: usize = 4;

/// A function as documentation and completion show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// The name; with a dot for a function in a name space. Operators have cel-go's names (`_+_`).
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// `name(int, list(A)) -> A` for a global function, `string.name() -> bool` for a member.
    pub signatures: &'static [&'static str],
}

/// Every function an expression can call, in the order of the families.
pub fn functions() -> impl Iterator<Item = FunctionDoc> {
    declarations().map(|declaration| FunctionDoc {
        name: declaration.name,
        doc: declaration.doc,
        signatures: declaration.signatures,
    })
}

fn declarations() -> impl Iterator<Item = &'static Declaration> {
    let families = [
        arithmetic::FUNCTIONS,
        conversions::FUNCTIONS,
        strings::FUNCTIONS,
        times::FUNCTIONS,
        lists::FUNCTIONS,
        sets::FUNCTIONS,
        math::FUNCTIONS,
        optionals::FUNCTIONS,
        encoders::FUNCTIONS,
        format::FUNCTIONS,
        regex::FUNCTIONS,
        ip::FUNCTIONS,
        network::FUNCTIONS,
        hierarchy::FUNCTIONS,
        spiffe::FUNCTIONS,
        paths::FUNCTIONS,
    ];
    families.into_iter().flatten()
}

pub(crate) struct Table {
    functions: Vec<Function>,
    by_name: HashMap<&'static str, u16>,
}

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { functions: Vec::new(), by_name: HashMap::new() };
    declarations().for_each(|declaration| table.add(declaration));
    table
});

impl Function {
    /// Whether an overload has others beside it that take as many arguments, and does not speak for them.
    pub(crate) fn is_selective(&self, overload: u8) -> bool {
        let Some(chosen) = self.overloads.get(usize::from(overload)) else { return false };
        let alike =
            |other: &&Overload| other.member == chosen.member && other.args.len() == chosen.args.len();
        self.overloads.iter().filter(alike).count() > 1 && mismatch::tells_signatures(self.name)
    }
}

impl Table {
    fn add(&mut self, declaration: &Declaration) {
        let Declaration { name, signatures, run, .. } = *declaration;
        let next = u16::try_from(self.functions.len()).unwrap_or(u16::MAX);
        let index = *self.by_name.entry(name).or_insert(next);
        if index == next {
            self.functions.push(Function { name, overloads: Vec::new(), global: None, member: None });
        }
        let Some(function) = self.functions.get_mut(usize::from(index)) else { return };
        for overload in signatures.iter().filter_map(|text| Overload::parse(name, text)) {
            let style = if overload.member { &mut function.member } else { &mut function.global };
            *style = Some(run);
            function.overloads.push(overload);
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<(u16, &Function)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.functions.get(usize::from(index))?))
    }

    /// The implementation of a function in a style of call.
    #[inline]
    pub(crate) fn run(&self, index: u16, member: bool) -> Option<Run> {
        let function = self.functions.get(usize::from(index))?;
        if member { function.member } else { function.global }
    }

    /// The implementation of one overload; none where it does not take the arguments.
    pub(crate) fn run_overload(&self, index: u16, overload: u8, args: &[Value<'_>]) -> Option<Run> {
        let overload = self.functions.get(usize::from(index))?.overloads.get(usize::from(overload))?;
        let fits = overload.args.iter().zip(args).all(|(ty, arg)| ty.has(*arg));
        self.run(index, overload.member).filter(|_| fits)
    }

    /// The error of a call whose arguments fit no signature, in the words of cel-go.
    #[cold]
    pub(crate) fn no_overload<'a>(&self, arena: &'a Bump, index: u16, args: &[Value<'a>]) -> EvalError<'a> {
        let name = self.functions.get(usize::from(index)).map_or("", |function| function.name);
        mismatch::no_overload(arena, name, args)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().map(|function| function.name)
    }
}

impl Overload {
    /// `None` for a signature with a mistake; a test holds that there is none.
    fn parse(name: &str, text: &'static str) -> Option<Self> {
        let (call, result) = text.rsplit_once(" -> ")?;
        let (head, args) = match call.strip_prefix(name) {
            Some(args) => (None, args),
            None => {
                let at = call.rfind(&format!(".{name}("))?;
                (Some(&call[..at]), &call[at + 1 + name.len()..])
            }
        };
        let args = args.strip_prefix('(')?.strip_suffix(')')?;
        let types = head.into_iter().chain(split_types(args)).map(Type::parse_signature);
        Some(Self {
            text,
            member: head.is_some(),
            args: types.collect::<Option<_>>()?,
            result: Type::parse_signature(result)?,
        })
    }
}

/// Splits at the commas that stand outside of parentheses.
fn split_types(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let separator = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    if text.is_empty() { Vec::new() } else { text.split(separator).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_well_formed() {
        for declaration in declarations() {
            let Declaration { name, doc, signatures, .. } = declaration;
            assert!(!doc.is_empty(), "{name}");
            for text in *signatures {
                let overload = Overload::parse(name, text);
                assert!(overload.is_some_and(|overload| overload.args.len() <= MAX_ARGS), "{text}");
            }
        }
    }

    /// Which implementation runs is decided by name and style of call alone.
    #[test]
    fn no_two_declarations_share_name_and_style() {
        let mut seen = std::collections::HashSet::new();
        for Declaration { name, signatures, .. } in declarations() {
            let members = signatures.iter().filter_map(|text| Some(Overload::parse(name, text)?.member));
            let styles: std::collections::HashSet<bool> = members.collect();
            assert!(styles.into_iter().all(|member| seen.insert((*name, member))), "{name}");
        }
    }

    #[test]
    fn signatures_say_receiver_arguments_and_result() {
        let Some(overload) = Overload::parse("get", "map(A, B).get(A, list(B)) -> optional(B)") else {
            panic!("no overload");
        };
        assert!(overload.member);
        let args = [Type::map(Type::Param(0), Type::Param(1)), Type::Param(0), Type::list(Type::Param(1))];
        assert_eq!(overload.args, args);
        assert_eq!(overload.result, Type::optional(Type::Param(1)));
    }
}
