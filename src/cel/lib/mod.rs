//! The function table: every function and arithmetic operator once, with its signatures, its
//! implementation and a line of documentation. The checker, the folder and the evaluator share it.
//!
//! To add a function: an entry in its family's `FUNCTIONS`, and a test.

mod arithmetic;
mod conversions;
mod encoders;
mod format;
mod hierarchy;
mod ip;
mod lists;
mod math;
pub(crate) mod network;
mod optionals;
pub(crate) mod regex;
mod sets;
mod strings;
mod times;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::types::Type;
use super::{Activation, EvalResult, Value};

pub(crate) use arithmetic::index;
pub(crate) use encoders::base64_text;
pub(crate) use format::{display, format_call};
pub(crate) use lists::check_sortable;

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

/// A function of the table.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) signatures: &'static [&'static str],
    pub(crate) overloads: Vec<Overload>,
    pub(crate) run: Run,
}

/// One signature of a function.
pub(crate) struct Overload {
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
    TABLE.functions.iter().map(|function| FunctionDoc {
        name: function.name,
        doc: function.doc,
        signatures: function.signatures,
    })
}

pub(crate) struct Table {
    functions: Vec<Function>,
    by_name: HashMap<&'static str, u16>,
}

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| {
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
    ];
    let functions: Vec<Function> = families.into_iter().flatten().map(Function::new).collect();
    let by_name = (0..).zip(&functions).map(|(index, function)| (function.name, index)).collect();
    Table { functions, by_name }
});

impl Table {
    pub(crate) fn find(&self, name: &str) -> Option<(u16, &Function)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.functions.get(usize::from(index))?))
    }

    pub(crate) fn get(&self, index: u16) -> Option<&Function> {
        self.functions.get(usize::from(index))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().map(|function| function.name)
    }
}

impl Function {
    fn new(declaration: &Declaration) -> Self {
        let Declaration { name, doc, signatures, run } = *declaration;
        let overloads = signatures.iter().filter_map(|text| Overload::parse(name, text)).collect();
        Self { name, doc, signatures, overloads, run }
    }
}

impl Overload {
    /// `None` for a signature with a mistake; a test holds that there is none.
    fn parse(name: &str, text: &str) -> Option<Self> {
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
    fn every_signature_is_well_formed_and_every_name_is_unique() {
        for function in &TABLE.functions {
            assert_eq!(function.overloads.len(), function.signatures.len(), "{}", function.name);
            assert!(!function.doc.is_empty(), "{}", function.name);
            assert!(function.overloads.iter().all(|overload| overload.args.len() <= MAX_ARGS));
        }
        assert_eq!(TABLE.by_name.len(), TABLE.functions.len());
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
