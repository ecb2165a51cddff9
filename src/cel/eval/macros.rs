//! The macros over ranges.

use std::cmp::Ordering;

use super::{Evaluator, Frame, Locals};
use crate::cel::ast::Operation;
use crate::cel::lib::{check_sortable, display};
use crate::cel::native::go_type;
use crate::cel::program::{Id, Loop};
use crate::cel::{Activation, EvalError, EvalResult, List, Map, Value};

impl<'a> Evaluator<'_, 'a> {
    #[inline(never)]
    pub(super) fn comprehension(self, of: &'a Loop, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let range = Range::of(self.ctx, self.eval(of.range, locals)?, of.paired)?;
        match of.operation {
            Operation::All => self.quantify(of, range, false, locals),
            Operation::Exists => self.quantify(of, range, true, locals),
            Operation::ExistsOne => self.exists_one(of, range, locals),
            Operation::Filter | Operation::Map | Operation::TransformList => self.collect(of, range, locals),
            Operation::TransformMap | Operation::TransformMapEntry => self.collect_map(of, range, locals),
            Operation::SortBy => self.sort_by(of, range, locals),
        }
    }

    /// Evaluates a body with the variables of the element at `at`.
    fn body(self, of: &Loop, id: Id, range: Range<'a>, at: usize, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let (key, value) = range.get(at);
        if of.paired {
            let outer = Frame { value: Ok(key), parent: locals };
            self.eval(id, Some(&Frame { value: Ok(value), parent: Some(&outer) }))
        } else {
            self.eval(id, Some(&Frame { value: Ok(range.single(key, value)), parent: locals }))
        }
    }

    /// `all` and `exists` are `&&` and `||` over the elements.
    fn quantify(self, of: &Loop, range: Range<'a>, decisive: bool, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let mut error = None;
        for at in 0..range.len() {
            match self.body(of, of.body, range, at, locals) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => error = error.or(Some(EvalError::NoSuchOverload)),
                Err(first) => error = error.or(Some(first)),
            }
        }
        error.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn exists_one(self, of: &Loop, range: Range<'a>, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let mut count = 0;
        for at in 0..range.len() {
            count += usize::from(truth(self.body(of, of.body, range, at, locals)?)?);
        }
        Ok(Value::Bool(count == 1))
    }

    fn passes(
        self,
        of: &Loop,
        range: Range<'a>,
        at: usize,
        locals: Locals<'_, 'a>,
    ) -> Result<bool, EvalError<'a>> {
        of.filter.map_or(Ok(true), |filter| truth(self.body(of, filter, range, at, locals)?))
    }

    fn collect(self, of: &Loop, range: Range<'a>, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let mut list = bumpalo::collections::Vec::with_capacity_in(range.len(), self.ctx.arena);
        for at in 0..range.len() {
            if !self.passes(of, range, at, locals)? {
                continue;
            }
            let body = self.body(of, of.body, range, at, locals)?;
            if of.operation != Operation::Filter {
                list.push(body);
            } else if truth(body)? {
                let (key, value) = range.get(at);
                list.push(range.single(key, value));
            }
        }
        Ok(Value::list(self.ctx.arena, list.into_bump_slice()))
    }

    fn collect_map(self, of: &Loop, range: Range<'a>, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let arena = self.ctx.arena;
        let mut entries = bumpalo::collections::Vec::with_capacity_in(range.len(), arena);
        for at in 0..range.len() {
            if !self.passes(of, range, at, locals)? {
                continue;
            }
            match (self.body(of, of.body, range, at, locals)?, of.operation) {
                (Value::Map(map), Operation::TransformMapEntry) => {
                    for (key, value) in map.iter() {
                        if entries.iter().any(|(known, _): &(Value<'_>, Value<'_>)| known.equals(key)) {
                            let key = display(key);
                            return Err(EvalError::message(
                                arena,
                                format_args!("insert failed: key {key} already exists"),
                            ));
                        }
                        entries.push((key, value));
                    }
                }
                (_, Operation::TransformMapEntry) => return Err(EvalError::NoSuchOverload),
                (value, _) => entries.push((range.get(at).0, value)),
            }
        }
        Ok(Value::Map(Map::of_entries(arena, &entries)))
    }

    fn sort_by(self, of: &Loop, range: Range<'a>, locals: Locals<'_, 'a>) -> EvalResult<'a> {
        if let Range::Map(_) = range {
            return Err(EvalError::Message("no such overload: @sortByAssociatedKeys"));
        }
        let arena = self.ctx.arena;
        let mut keyed = bumpalo::collections::Vec::with_capacity_in(range.len(), arena);
        for at in 0..range.len() {
            keyed.push((self.body(of, of.body, range, at, locals)?, range.get(at).1));
        }
        check_sortable(arena, keyed.iter().map(|(key, _)| *key))?;
        keyed.sort_by(|(a, _), (b, _)| a.compare(*b).unwrap_or(Ordering::Equal));
        let list = arena.alloc_slice_fill_iter(keyed.iter().map(|(_, value)| *value));
        Ok(Value::list(arena, list))
    }
}

fn truth<'a>(value: Value<'_>) -> Result<bool, EvalError<'a>> {
    match value {
        Value::Bool(value) => Ok(value),
        _ => Err(EvalError::NoSuchOverload),
    }
}

/// What a macro runs over: pairs of index and element, or of key and value.
#[derive(Clone, Copy)]
enum Range<'a> {
    List(List<'a>),
    Map(Map<'a>),
}

impl<'a> Range<'a> {
    fn of(ctx: &Activation<'a>, value: Value<'a>, paired: bool) -> Result<Self, EvalError<'a>> {
        match value {
            Value::List(list) => Ok(Self::List(list)),
            Value::Map(map) => Ok(Self::Map(map)),
            other => {
                let kind = go_type(other);
                Err(if paired {
                    EvalError::message(
                        ctx.arena,
                        format_args!("unsupported comprehension range type: {kind}"),
                    )
                } else {
                    EvalError::message(ctx.arena, format_args!("got '{kind}', expected iterable type"))
                })
            }
        }
    }

    fn len(self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
        }
    }

    fn get(self, at: usize) -> (Value<'a>, Value<'a>) {
        let index = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
        match self {
            Self::List(list) => (index, list.get(at).unwrap_or(Value::Null)),
            Self::Map(map) => map.entry(at).unwrap_or((Value::Null, Value::Null)),
        }
    }

    /// What the one variable of a macro stands for: a list's element, a map's key.
    fn single(self, key: Value<'a>, value: Value<'a>) -> Value<'a> {
        match self {
            Self::List(_) => value,
            Self::Map(_) => key,
        }
    }
}
