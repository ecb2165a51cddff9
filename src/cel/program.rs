//! Programs: flat, over resolved slots, ready to evaluate.

use std::fmt;

use super::ast::{Operation, Relation};
use super::eval::Evaluator;
use super::lib::regex::Pattern;
use super::lower::Lowering;
use super::{Activation, Const, EvalResult, Expr};

/// What the policy around an expression gives its variables and constants.
pub trait Names {
    /// The slot of a variable, or `None` where there is no such variable.
    fn variable(&self, name: &str) -> Option<u32>;
    /// The value of a constant.
    fn constant(&self, name: &str) -> Option<&Const>;

    /// The variables that `V` holds where it is used whole, with their slots.
    fn variables(&self) -> Vec<(&str, u32)> {
        Vec::new()
    }

    /// The constants that `C` holds where it is used whole.
    fn constants(&self) -> Vec<(&str, &Const)> {
        Vec::new()
    }
}

/// No variables, no constants.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn variable(&self, _: &str) -> Option<u32> {
        None
    }

    fn constant(&self, _: &str) -> Option<&Const> {
        None
    }
}

/// An expression as it is evaluated: immutable, and free of anything of a request.
pub struct Program {
    pub(crate) nodes: Box<[Op]>,
    /// Lists of node ids, for operations with any number of operands.
    pub(crate) children: Box<[Id]>,
    pub(crate) consts: Box<[Const]>,
    pub(crate) strings: Box<[Box<str>]>,
    pub(crate) loops: Box<[Loop]>,
    pub(crate) patterns: Box<[Pattern]>,
    /// Constant lists of strings, sorted, for `in`.
    pub(crate) string_sets: Box<[Box<[Box<str>]>]>,
    pub(crate) root: Id,
    pub(crate) height: u16,
}

/// Index of a node.
pub(crate) type Id = u32;

/// A part of [`Program::children`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Children {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Index of a name in [`Program::strings`].
pub(crate) type Name = u32;

/// A root that is used as a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whole {
    Request,
    Principal,
    Resource,
    AuxData,
    Runtime,
}

/// A field of the principal or the resource.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    PrincipalId,
    PrincipalRoles,
    PrincipalAttr,
    PrincipalPolicyVersion,
    PrincipalScope,
    ResourceKind,
    ResourceId,
    ResourceAttr,
    ResourcePolicyVersion,
    ResourceScope,
}

/// One operation. Operands are evaluated by their id when and if they are needed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Const(u32),
    /// A constant of the policy.
    Constant(u32),
    /// `C` as a map.
    Constants(u32),
    /// A macro variable, counted from the innermost.
    Local(u32),
    Whole(Whole),
    Field(Field),
    PrincipalAttr(Name),
    ResourceAttr(Name),
    HasPrincipalAttr(Name),
    HasResourceAttr(Name),
    Global(Name),
    HasGlobal(Name),
    Variable {
        slot: u32,
        name: Name,
    },
    HasVariable(u32),
    /// `G` as a map.
    Globals,
    /// `V` as a map; children are pairs of a slot and a name. Variables that fail are not in it.
    Variables(Children),
    Undefined(Name),
    /// An error by its text.
    Fail(Name),
    Select {
        operand: Id,
        field: Name,
    },
    SelectOptional {
        operand: Id,
        field: Name,
    },
    Has {
        operand: Id,
        field: Name,
    },
    Index {
        operand: Id,
        index: Id,
    },
    IndexOptional {
        operand: Id,
        index: Id,
    },
    Not(Id),
    And(Children),
    Or(Children),
    Conditional {
        condition: Id,
        yes: Id,
        no: Id,
    },
    Relation {
        operator: Relation,
        left: Id,
        right: Id,
    },
    /// An attribute of the resource against a constant: the commonest condition there is.
    ResourceAttrEquals {
        attr: Name,
        value: u32,
    },
    PrincipalAttrEquals {
        attr: Name,
        value: u32,
    },
    InStrings {
        value: Id,
        set: u32,
    },
    Call {
        function: u16,
        member: bool,
        args: Children,
    },
    /// A call that may run but one of the function's overloads.
    CallOverload {
        function: u16,
        overload: u8,
        args: Children,
    },
    /// A global function of two lists that is called with errors as well.
    CallWithErrors {
        function: u16,
        args: Children,
    },
    /// `matches` with a pattern known at lowering.
    Matches {
        text: Id,
        pattern: u32,
    },
    List(Children),
    /// Children are pairs of an element and 1 where it is optional.
    OptionalList(Children),
    /// Children are triples of key, value, and 1 where the entry is optional.
    Map(Children),
    /// A well-known message by its number. Children are triples of field number, value, and 1 where the
    /// field is optional.
    Message {
        message: u8,
        fields: Children,
    },
    Loop(u32),
    Bind {
        value: Id,
        body: Id,
    },
    /// `target.or(other)`, or with `unwrap` `target.orValue(other)`.
    OptionalOr {
        target: Id,
        other: Id,
        unwrap: bool,
    },
    OptionalMap {
        target: Id,
        body: Id,
        flat: bool,
    },
}

/// A macro over a range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop {
    pub(crate) operation: Operation,
    pub(crate) range: Id,
    /// Whether there are two variables.
    pub(crate) paired: bool,
    pub(crate) filter: Option<Id>,
    pub(crate) body: Id,
}

impl Program {
    /// Resolves the names of an expression and prepares it for evaluation. A variable or constant
    /// that `names` does not know becomes an error of evaluation (`undefined field 'x'`).
    #[must_use]
    pub fn lower(expr: &Expr, names: &dyn Names) -> Self {
        match expr.failure() {
            Some(issue) => Lowering::lower_failure(&issue.message),
            None => Lowering::lower(expr.root(), names),
        }
    }

    /// Evaluates the program.
    ///
    /// # Errors
    /// What evaluation ran into and no operator absorbed.
    #[inline]
    pub fn eval<'a>(&'a self, ctx: &Activation<'a>) -> EvalResult<'a> {
        Evaluator::new(self, ctx).eval(self.root, None)
    }

    /// How deep the evaluation can nest.
    pub(crate) fn height(&self) -> u16 {
        self.height
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("nodes", &self.nodes)
            .field("consts", &self.consts)
            .finish_non_exhaustive()
    }
}
