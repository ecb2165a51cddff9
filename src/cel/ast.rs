//! Expressions as trees. Every node knows where it stands in the text; macros are nodes of their own,
//! because the query planner and explanations need to see them.

use super::{Const, Type};
use crate::text::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the expression's text.
    pub span: Span,
    /// Its type; [`Type::Dyn`] until it is checked.
    pub ty: Type,
    /// Of a call, once it is checked: the one overload that its arguments fit, by its number; none where several do.
    pub(crate) overload: Option<u8>,
    /// Levels from here to the deepest leaf. Later stages recurse and rely on the parser's bound.
    height: u16,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A constant.
    Literal(Const),
    /// A name. `.name` is absolute: no variable of a macro hides it.
    Ident {
        /// The name without the dot.
        name: String,
        /// Whether a dot stands before it.
        absolute: bool,
    },
    /// `operand.field`, or `operand.?field` when optional.
    Select {
        /// What the field is taken from.
        operand: Box<Node>,
        /// The field.
        field: String,
        /// Whether a missing field gives `optional.none()`.
        optional: bool,
    },
    /// `has(operand.field)`
    Has {
        /// What the field is looked for in.
        operand: Box<Node>,
        /// The field.
        field: String,
    },
    /// `operand[index]`, or `operand[?index]` when optional.
    Index {
        /// The list or map.
        operand: Box<Node>,
        /// The index or key.
        index: Box<Node>,
        /// Whether a missing element gives `optional.none()`.
        optional: bool,
    },
    /// A function of the table, including the arithmetic operators by cel-go's names (`_+_`, `-_`, `!_`).
    /// After checking, a function of a name space (`math.abs`) has its full name and no target.
    Call {
        /// The function's name.
        function: String,
        /// What stands before the dot of a member call.
        target: Option<Box<Node>>,
        /// The arguments.
        args: Vec<Node>,
    },
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`
    Relation {
        /// The operator.
        operator: Relation,
        /// The left side.
        left: Box<Node>,
        /// The right side.
        right: Box<Node>,
    },
    /// `a && b && …`
    And(Vec<Node>),
    /// `a || b || …`
    Or(Vec<Node>),
    /// `condition ? yes : no`
    Conditional {
        /// What decides.
        condition: Box<Node>,
        /// The value when it is true.
        yes: Box<Node>,
        /// The value when it is false.
        no: Box<Node>,
    },
    /// `[a, ?b]`
    List(Vec<Element>),
    /// `{a: b, ?c: d}`
    Map(Vec<Entry>),
    /// `Name{field: value, ?other: optional}`: one of protobuf's well-known messages.
    Message {
        /// The type's name.
        name: String,
        /// The fields.
        fields: Vec<Field>,
    },
    /// A macro over the elements of a list or the entries of a map.
    Comprehension(Box<Comprehension>),
    /// `cel.bind(var, value, body)`
    Bind {
        /// The name.
        var: String,
        /// What it stands for.
        value: Box<Node>,
        /// The expression that sees it.
        body: Box<Node>,
    },
    /// `target.optMap(var, body)`, or `optFlatMap` when `flat`.
    OptionalMap {
        /// The optional.
        target: Box<Node>,
        /// The name of its value.
        var: String,
        /// The new value.
        body: Box<Node>,
        /// Whether the body is itself an optional.
        flat: bool,
    },
}

/// An element of a list literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// The element, or an optional of it.
    pub value: Node,
    /// Whether `?` stands before it.
    pub optional: bool,
}

/// An entry of a map literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// The value, or an optional of it.
    pub value: Node,
    /// Whether `?` stands before the key.
    pub optional: bool,
}

/// A field of a message literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// The value, or an optional of it.
    pub value: Node,
    /// Whether `?` stands before the name.
    pub optional: bool,
}

/// The comparison operators and `in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
}

impl Relation {
    /// The name of the operator's function, as cel-go calls it.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::Equal => "_==_",
            Self::NotEqual => "_!=_",
            Self::Less => "_<_",
            Self::LessEqual => "_<=_",
            Self::Greater => "_>_",
            Self::GreaterEqual => "_>=_",
            Self::In => "@in",
        }
    }
}

/// A macro over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// Which one.
    pub operation: Operation,
    /// The list or map.
    pub range: Node,
    /// The name of the element (of a map: the key); with a second name, of the index or key.
    pub var: String,
    /// With two names: the name of the element or value.
    pub var2: Option<String>,
    /// The condition of `map` and the `transform…` macros with one more argument.
    pub filter: Option<Node>,
    /// The predicate or the transformation.
    pub body: Node,
}

/// The macros over ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`, `existsOne`
    ExistsOne,
    /// `filter`
    Filter,
    /// `map`
    Map,
    /// `transformList`
    TransformList,
    /// `transformMap`
    TransformMap,
    /// `transformMapEntry`
    TransformMapEntry,
    /// `sortBy`
    SortBy,
}

impl Node {
    pub(crate) fn new(kind: Kind, span: Span) -> Self {
        let mut node = Self { kind, span, ty: Type::Dyn, overload: None, height: 0 };
        let mut below = 0;
        node.for_each_child(|child| below = below.max(child.height));
        node.height = below.saturating_add(1);
        node
    }

    /// Levels from here to the deepest leaf.
    pub(crate) fn height(&self) -> u16 {
        self.height
    }

    /// Calls `visit` for each direct child.
    pub fn for_each_child<'n>(&'n self, mut visit: impl FnMut(&'n Node)) {
        match &self.kind {
            Kind::Literal(_) | Kind::Ident { .. } => {}
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => visit(operand),
            Kind::Index { operand: first, index: second, .. }
            | Kind::Relation { left: first, right: second, .. }
            | Kind::Bind { value: first, body: second, .. }
            | Kind::OptionalMap { target: first, body: second, .. } => {
                visit(first);
                visit(second);
            }
            Kind::Call { target, args, .. } => {
                target.as_deref().into_iter().for_each(&mut visit);
                args.iter().for_each(visit);
            }
            Kind::And(terms) | Kind::Or(terms) => terms.iter().for_each(visit),
            Kind::Conditional { condition, yes, no } => {
                [condition, yes, no].into_iter().map(|node| &**node).for_each(visit);
            }
            Kind::List(elements) => elements.iter().for_each(|element| visit(&element.value)),
            Kind::Map(entries) => entries.iter().for_each(|entry| {
                visit(&entry.key);
                visit(&entry.value);
            }),
            Kind::Message { fields, .. } => fields.iter().for_each(|field| visit(&field.value)),
            Kind::Comprehension(comprehension) => {
                visit(&comprehension.range);
                comprehension.filter.iter().for_each(&mut visit);
                visit(&comprehension.body);
            }
        }
    }

    /// Calls `visit` for each direct child.
    pub fn for_each_child_mut<'n>(&'n mut self, mut visit: impl FnMut(&'n mut Node)) {
        match &mut self.kind {
            Kind::Literal(_) | Kind::Ident { .. } => {}
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => visit(operand),
            Kind::Index { operand: first, index: second, .. }
            | Kind::Relation { left: first, right: second, .. }
            | Kind::Bind { value: first, body: second, .. }
            | Kind::OptionalMap { target: first, body: second, .. } => {
                visit(first);
                visit(second);
            }
            Kind::Call { target, args, .. } => {
                target.as_deref_mut().into_iter().for_each(&mut visit);
                args.iter_mut().for_each(visit);
            }
            Kind::And(terms) | Kind::Or(terms) => terms.iter_mut().for_each(visit),
            Kind::Conditional { condition, yes, no } => {
                [condition, yes, no].into_iter().map(|node| &mut **node).for_each(visit);
            }
            Kind::List(elements) => elements.iter_mut().for_each(|element| visit(&mut element.value)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| {
                visit(&mut entry.key);
                visit(&mut entry.value);
            }),
            Kind::Message { fields, .. } => fields.iter_mut().for_each(|field| visit(&mut field.value)),
            Kind::Comprehension(comprehension) => {
                visit(&mut comprehension.range);
                comprehension.filter.iter_mut().for_each(&mut visit);
                visit(&mut comprehension.body);
            }
        }
    }

    /// The dotted name that a chain of identifiers spells: `a`, `a.b.c`.
    pub(crate) fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Ident { name, .. } => Some(name.clone()),
            Kind::Select { operand, field, optional: false } => {
                Some(format!("{}.{field}", operand.qualified_name()?))
            }
            _ => None,
        }
    }
}
