//! The evaluator: a recursion over the nodes of a program, at most as deep as the parser's limit.

mod fields;
mod macros;

use std::cmp::Ordering;

use fields::{has, select, select_optional};

use super::activation::scope_value;
use super::ast::Relation;
use super::lib::{MAX_ARGS, TABLE, index, index_optional};
use super::program::{Children, Field, Id, Name, Op, Program, Whole};
use super::{Activation, AuxData, EvalError, EvalResult, List, Map, Message, Request, Value};

/// The macro variables around a node, innermost first. The error of a bound expression shows where its
/// variable is read.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'f, 'a> {
    value: EvalResult<'a>,
    parent: Locals<'f, 'a>,
}

pub(crate) type Locals<'f, 'a> = Option<&'f Frame<'f, 'a>>;

#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'c, 'a> {
    program: &'a Program,
    pub(super) ctx: &'c Activation<'a>,
}

/// What an unset `request.auxData` reads as.
static NO_AUX_DATA: AuxData<'static> = AuxData { jwt: Map::EMPTY, jwts: Map::EMPTY };

impl<'c, 'a> Evaluator<'c, 'a> {
    #[inline]
    pub(crate) fn new(program: &'a Program, ctx: &'c Activation<'a>) -> Self {
        Self { program, ctx }
    }

    pub(crate) fn eval(self, id: Id, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let ctx = self.ctx;
        match self.program.nodes[id as usize] {
            Op::Const(index) | Op::Constant(index) => Ok(self.constant(index)),
            Op::Local(depth) => local(locals, depth),
            Op::Field(field) => Ok(self.field(field)),
            Op::PrincipalAttr(name) => attr(ctx.principal.attr, self.name(name)),
            Op::ResourceAttr(name) => attr(ctx.resource.attr, self.name(name)),
            Op::HasPrincipalAttr(name) => Ok(Value::Bool(ctx.principal.attr.get(self.name(name)).is_some())),
            Op::HasResourceAttr(name) => Ok(Value::Bool(ctx.resource.attr.get(self.name(name)).is_some())),
            Op::ResourceAttrEquals { attr: name, value } => self.attr_equals(ctx.resource.attr, name, value),
            Op::PrincipalAttrEquals { attr: name, value } => {
                self.attr_equals(ctx.principal.attr, name, value)
            }
            Op::Relation { operator, left, right } => {
                let left = self.operand(left, locals)?;
                let right = self.operand(right, locals)?;
                match operator {
                    Relation::Equal => equal(left, right),
                    _ => relation(operator, left, right),
                }
            }
            Op::And(terms) => self.logical(terms, false, locals),
            Op::Or(terms) => self.logical(terms, true, locals),
            Op::Not(operand) => match self.eval(operand, locals)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                _ => Err(EvalError::NoSuchOverload),
            },
            Op::Conditional { condition, yes, no } => match self.eval(condition, locals)? {
                Value::Bool(true) => self.eval(yes, locals),
                Value::Bool(false) => self.eval(no, locals),
                _ => Err(EvalError::NoSuchOverload),
            },
            Op::Select { operand, field } => select(ctx, self.eval(operand, locals)?, self.name(field)),
            Op::Has { operand, field } => {
                let operand = self.eval(operand, locals)?;
                has(ctx, operand, self.name(field)).map(Value::Bool)
            }
            Op::Index { operand, index: at } => {
                let operand = self.eval(operand, locals)?;
                match operand {
                    // There is nothing to ask, so that not even the index is evaluated.
                    Value::Optional(None) => Ok(operand),
                    _ => {
                        let value = self.eval(at, locals)?;
                        index(ctx, operand, value).map_err(|error| self.index_error(at, value, locals, error))
                    }
                }
            }
            Op::Variable { slot, name } => {
                let value = ctx.variables.read(slot, ctx);
                value.map_err(|_| EvalError::UndefinedField(self.name(name)))
            }
            Op::Global(name) => {
                let name = self.name(name);
                ctx.globals.get(name).ok_or(EvalError::UndefinedField(name))
            }
            Op::InStrings { value, set } => self.in_strings(value, set, locals),
            Op::Call { function, member, args } => self.call(function, member, args, locals),
            Op::Matches { text, pattern } => self.matches(text, pattern, locals),
            Op::Loop(index) => self.comprehension(&self.program.loops[index as usize], locals),
            other => self.rare(other, locals),
        }
    }

    /// [`eval`](Self::eval) without a call for what conditions mostly compare.
    #[inline(always)]
    fn operand(self, id: Id, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        match self.program.nodes[id as usize] {
            Op::Const(index) | Op::Constant(index) => Ok(self.constant(index)),
            Op::Field(field) => Ok(self.field(field)),
            Op::ResourceAttr(name) => attr(self.ctx.resource.attr, self.name(name)),
            Op::PrincipalAttr(name) => attr(self.ctx.principal.attr, self.name(name)),
            _ => self.eval(id, locals),
        }
    }

    /// Kept apart, so that the frames of [`eval`](Self::eval) stay small.
    #[inline(never)]
    fn rare(self, op: Op, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let ctx = self.ctx;
        match op {
            Op::Whole(whole) => self.whole(whole).map(Value::Message),
            Op::Constants(index) => Ok(self.constant(index)),
            Op::Globals => Ok(Value::Map(ctx.globals)),
            Op::Variables(pairs) => Ok(self.variables(self.children(pairs))),
            Op::Message { message, fields } => self.message(message, self.children(fields), locals),
            Op::HasGlobal(name) => Ok(Value::Bool(ctx.globals.get(self.name(name)).is_some())),
            Op::HasVariable(slot) => Ok(Value::Bool(ctx.variables.read(slot, ctx).is_ok())),
            Op::Undefined(name) => Err(EvalError::UndefinedField(self.name(name))),
            Op::Fail(text) => Err(EvalError::Message(self.name(text))),
            Op::CallWithErrors { function, args } => self.call_with_errors(function, args, locals),
            Op::CallOverload { function, overload, args } => {
                self.call_overload(function, overload, args, locals)
            }
            Op::SelectOptional { operand, field } => {
                let operand = self.eval(operand, locals)?;
                select_optional(ctx, operand, self.name(field))
            }
            Op::IndexOptional { operand, index } => {
                let operand = self.eval(operand, locals)?;
                match operand {
                    Value::Optional(None) => Ok(operand),
                    _ => {
                        let at = self.eval(index, locals)?;
                        index_optional(ctx, operand, at)
                            .map_err(|error| self.index_error(index, at, locals, error))
                    }
                }
            }
            Op::List(elements) => {
                let elements = self.children(elements);
                let mut list = bumpalo::collections::Vec::with_capacity_in(elements.len(), ctx.arena);
                for id in elements {
                    list.push(self.eval(*id, locals)?);
                }
                Ok(Value::list(ctx.arena, list.into_bump_slice()))
            }
            Op::OptionalList(elements) => self.optional_list(self.children(elements), locals),
            Op::Map(entries) => self.map(self.children(entries), locals),
            Op::Bind { value, body } => {
                let value = self.eval(value, locals);
                self.eval(body, Some(&Frame { value, parent: locals }))
            }
            Op::OptionalOr { target, other, unwrap } => match self.eval(target, locals)? {
                value @ Value::Optional(Some(inner)) => Ok(if unwrap { *inner } else { value }),
                Value::Optional(None) => self.eval(other, locals),
                _ => Err(EvalError::NoSuchOverload),
            },
            Op::OptionalMap { target, body, flat } => match self.eval(target, locals)? {
                Value::Optional(Some(value)) => {
                    let mapped = self.eval(body, Some(&Frame { value: Ok(*value), parent: locals }))?;
                    Ok(if flat { mapped } else { Value::some(ctx.arena, mapped) })
                }
                Value::Optional(None) => Ok(Value::Optional(None)),
                other => {
                    let kind = other.type_name();
                    let text = format_args!("no such overload: hasValue({kind})");
                    Err(EvalError::message(ctx.arena, text))
                }
            },
            _ => Err(EvalError::NoSuchOverload),
        }
    }

    #[inline]
    pub(super) fn name(self, name: Name) -> &'a str {
        &self.program.strings[name as usize]
    }

    /// The same with another activation.
    pub(super) fn with<'d>(self, ctx: &'d Activation<'a>) -> Evaluator<'d, 'a> {
        Evaluator { program: self.program, ctx }
    }

    pub(super) fn op(self, id: Id) -> Op {
        self.program.nodes[id as usize]
    }

    #[inline]
    fn constant(self, index: u32) -> Value<'a> {
        self.program.consts[index as usize].value()
    }

    #[inline]
    pub(super) fn children(self, children: Children) -> &'a [Id] {
        let start = children.start as usize;
        &self.program.children[start..start + children.len as usize]
    }

    #[inline]
    fn field(self, field: Field) -> Value<'a> {
        let (principal, resource) = (self.ctx.principal, self.ctx.resource);
        match field {
            Field::PrincipalId => Value::String(principal.id),
            Field::PrincipalRoles => Value::List(List::of_strings(&principal.roles)),
            Field::PrincipalAttr => Value::Map(principal.attr),
            Field::PrincipalPolicyVersion => Value::String(principal.policy_version),
            Field::PrincipalScope => Value::String(scope_value(principal.scope)),
            Field::ResourceKind => Value::String(resource.kind),
            Field::ResourceId => Value::String(resource.id),
            Field::ResourceAttr => Value::Map(resource.attr),
            Field::ResourcePolicyVersion => Value::String(resource.policy_version),
            Field::ResourceScope => Value::String(scope_value(resource.scope)),
        }
    }

    fn whole(self, whole: Whole) -> Result<Message<'a>, EvalError<'a>> {
        let Activation { arena, principal, resource, aux_data, .. } = *self.ctx;
        Ok(match whole {
            Whole::Request => Message::Request(arena.alloc(Request { principal, resource, aux_data })),
            Whole::Principal => Message::Principal(principal),
            Whole::Resource => Message::Resource(resource),
            Whole::AuxData => Message::AuxData(aux_data.unwrap_or(&NO_AUX_DATA)),
            Whole::Runtime => Message::Runtime(arena.alloc(self.ctx.effective_derived_roles?)),
        })
    }

    #[inline]
    fn attr_equals(self, attrs: Map<'a>, name: Name, value: u32) -> EvalResult<'a> {
        let found = attr(attrs, self.name(name))?;
        Ok(Value::Bool(found.equals(self.constant(value))))
    }

    /// `&&` (`decisive` false) and `||` (`decisive` true): the decisive value wins over errors, of which
    /// the first is kept.
    #[inline]
    fn logical(self, terms: Children, decisive: bool, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let mut error = None;
        for id in self.children(terms) {
            match self.eval(*id, locals) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => error = error.or(Some(EvalError::NoSuchOverload)),
                Err(first) => error = error.or(Some(first)),
            }
        }
        error.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn in_strings(self, value: Id, set: u32, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let value = self.eval(value, locals)?;
        let set = &self.program.string_sets[set as usize];
        let found = match value {
            Value::String(text) => set.binary_search_by(|known| (**known).cmp(text)).is_ok(),
            _ => false,
        };
        Ok(Value::Bool(found))
    }

    fn matches(self, text: Id, pattern: u32, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        match self.eval(text, locals)? {
            Value::String(text) => {
                let found = self.program.patterns[pattern as usize].is_match(text);
                found.map(Value::Bool).ok_or(EvalError::Message("error parsing regexp"))
            }
            _ => Err(EvalError::NoSuchOverload),
        }
    }

    #[inline(never)]
    fn call(self, function: u16, member: bool, args: Children, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let ids = self.children(args);
        let mut values = [Value::Null; MAX_ARGS];
        for (value, id) in values.iter_mut().zip(ids) {
            *value = self.eval(*id, locals)?;
        }
        self.run(function, member, values.get(..ids.len()))
    }

    /// A call that errors may be arguments of. They fit any parameter and no function, so that the function is
    /// asked, and refuses without a name, unless another argument does not fit; then the first error is the answer.
    #[inline(never)]
    fn call_with_errors(self, function: u16, args: Children, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let ids = self.children(args);
        let mut values = [Value::Null; MAX_ARGS];
        let (mut first, mut fits) = (None, true);
        for (value, id) in values.iter_mut().zip(ids) {
            match self.eval(*id, locals) {
                Ok(found) => {
                    fits &= matches!(found, Value::List(_));
                    *value = found;
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        match first {
            Some(_) if fits => Err(EvalError::NoSuchOverload),
            Some(error) => Err(error),
            None => self.run(function, false, values.get(..ids.len())),
        }
    }

    /// A call of one overload: what was known of the types excluded the others, whatever the arguments turn out to be.
    #[inline(never)]
    fn call_overload(
        self,
        function: u16,
        overload: u8,
        args: Children,
        locals: Locals<'_, 'a>,
    ) -> EvalResult<'a> {
        let ids = self.children(args);
        let mut values = [Value::Null; MAX_ARGS];
        for (value, id) in values.iter_mut().zip(ids) {
            *value = self.eval(*id, locals)?;
        }
        let args = values.get(..ids.len()).unwrap_or_default();
        match TABLE.run_overload(function, overload, args).map(|run| run(self.ctx, args)) {
            Some(Err(EvalError::NoSuchOverload)) | None => {
                Err(TABLE.no_overload(self.ctx.arena, function, args))
            }
            Some(result) => result,
        }
    }

    #[inline]
    fn run(self, function: u16, member: bool, args: Option<&[Value<'a>]>) -> EvalResult<'a> {
        match (TABLE.run(function, member), args) {
            (Some(run), Some(args)) => match run(self.ctx, args) {
                Err(EvalError::NoSuchOverload) => Err(TABLE.no_overload(self.ctx.arena, function, args)),
                result => result,
            },
            _ => Err(EvalError::NoSuchOverload),
        }
    }
}

fn local<'a>(locals: Locals<'_, 'a>, depth: u32) -> EvalResult<'a> {
    let mut frame = locals;
    for _ in 0..depth {
        frame = frame.and_then(|frame| frame.parent);
    }
    frame.map_or(Err(EvalError::NoSuchOverload), |frame| frame.value)
}

#[inline]
fn attr<'a>(attrs: Map<'a>, name: &'a str) -> EvalResult<'a> {
    attrs.get(name).ok_or(EvalError::NoSuchKey(name))
}

/// `==`. Kinds that Cerbos brings refuse to be compared to others, which their texts are not.
#[inline]
fn equal<'a>(left: Value<'a>, right: Value<'a>) -> EvalResult<'a> {
    match left {
        Value::Opaque(opaque) if !opaque.comparable(right) => Err(EvalError::NoSuchOverload),
        _ => Ok(Value::Bool(left.equals(right))),
    }
}

#[inline]
fn relation<'a>(operator: Relation, left: Value<'a>, right: Value<'a>) -> EvalResult<'a> {
    let holds = match operator {
        Relation::Equal => return equal(left, right),
        Relation::NotEqual => !left.equals(right),
        Relation::Less => compare(left, right, "no such overload: _<_")?.is_some_and(Ordering::is_lt),
        Relation::LessEqual => compare(left, right, "no such overload: _<=_")?.is_some_and(Ordering::is_le),
        Relation::Greater => compare(left, right, "no such overload: _>_")?.is_some_and(Ordering::is_gt),
        Relation::GreaterEqual => {
            compare(left, right, "no such overload: _>=_")?.is_some_and(Ordering::is_ge)
        }
        Relation::In => match right {
            Value::List(list) => list.contains(left),
            Value::Map(map) => map.find(left).is_some(),
            _ => return Err(EvalError::NoSuchOverload),
        },
    };
    Ok(Value::Bool(holds))
}

fn is_nan(value: Value<'_>) -> bool {
    matches!(value, Value::Double(value) if value.is_nan())
}

/// The order of two operands; `None`, which no operator accepts, where one is NaN. `named` is the error of a
/// left operand that has no order at all.
fn compare<'a>(
    left: Value<'a>,
    right: Value<'a>,
    named: &'static str,
) -> Result<Option<Ordering>, EvalError<'a>> {
    match left.compare(right) {
        Ok(order) => Ok(Some(order)),
        Err(EvalError::NanOrdering) => Ok(None),
        Err(_) if matches!(left.compare(left), Err(EvalError::NoSuchOverload)) => {
            Err(super::lib::unordered(left, named))
        }
        // As in the PDP, whatever it is compared with.
        Err(_) if is_nan(left) || is_nan(right) => Ok(None),
        Err(error) => Err(error),
    }
}
