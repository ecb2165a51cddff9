//! What the PDP says of a value between brackets that is no index. It names the type that the value has in Go:
//! one of cel-go's where the value is computed, and where names lead to it, that in which it is held.

use super::eval::{Evaluator, Locals};
use super::lib::{TABLE, is_index};
use super::native::{go_message, go_type};
use super::program::{Id, Op, Whole};
use super::{Activation, EvalError, Message, Opaque, Value};

/// Where the PDP has a value from, which decides in what it is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// An operator or a function.
    Computed,
    /// `+` of lists.
    Joined,
    /// A text, split.
    Split,
    /// A value within an attribute or a token, which cel-go makes its own when it is read.
    Json,
    /// A field of the request.
    Field,
    /// A field of a part of the request that was a value before.
    FieldOfValue,
    /// The derived roles.
    Runtime,
    /// A constant of the policy, or a value within it.
    Constant,
    /// A global, or an element of one.
    Global,
    /// `V`, `C` or `G` as a whole.
    Names,
    /// A variable, by its slot.
    Variable(u32),
}

impl<'a> Evaluator<'_, 'a> {
    /// What an index that failed with `error` is told as: node `index` has the value `at`.
    #[cold]
    #[inline(never)]
    pub(super) fn index_error(
        self,
        index: Id,
        at: Value<'a>,
        locals: Locals<'_, 'a>,
        error: EvalError<'a>,
    ) -> EvalError<'a> {
        if is_index(at) || self.ctx.variables.are_explaining() {
            return error;
        }
        let variables = self.ctx.variables.explaining();
        let ctx = Activation { variables, ..*self.ctx };
        let held = match (self.with(&ctx).source(index, locals), at) {
            (Source::Computed | Source::Json, _) => go_type(at),
            (Source::FieldOfValue, Value::Map(_)) => "*types.protoMap",
            (Source::FieldOfValue, _) => go_type(at),
            (Source::Constant | Source::Global, Value::Null) => "<nil>",
            (Source::Variable(slot), _) => held_by_variable(&ctx, slot),
            (source, _) => held(&ctx, source, at),
        };
        EvalError::message(self.ctx.arena, format_args!("invalid qualifier type: {held}"))
    }

    fn source(self, id: Id, locals: Locals<'_, 'a>) -> Source {
        match self.op(id) {
            Op::Whole(_) | Op::Field(_) => Source::Field,
            Op::PrincipalAttr(_) | Op::ResourceAttr(_) => Source::Json,
            Op::Constant(_) => Source::Constant,
            Op::Global(_) => Source::Global,
            Op::Constants(_) | Op::Globals | Op::Variables(_) => Source::Names,
            Op::Variable { slot, .. } => Source::Variable(slot),
            Op::Select { operand, .. } => match self.op(operand) {
                Op::Whole(Whole::Runtime) => Source::Runtime,
                Op::Whole(_) => Source::Field,
                _ => self.part(operand, locals),
            },
            Op::Index { operand, .. } => self.part(operand, locals),
            Op::Conditional { condition, yes, no } => {
                self.source(self.chosen(condition, yes, no, locals), locals)
            }
            _ => Source::Computed,
        }
    }

    fn chosen(self, condition: Id, yes: Id, no: Id, locals: Locals<'_, 'a>) -> Id {
        if matches!(self.eval(condition, locals), Ok(Value::Bool(true))) { yes } else { no }
    }

    /// The source of what is read of a value.
    fn part(self, whole: Id, locals: Locals<'_, 'a>) -> Source {
        match (self.source(whole, locals), self.eval(whole, locals)) {
            (_, Ok(Value::Message(_))) => Source::FieldOfValue,
            (Source::Field | Source::Json, _) => Source::Json,
            (Source::Constant, _) => Source::Constant,
            // The maps of globals have keys of any kind: cel-go reads them itself.
            (Source::Global, Ok(Value::List(_))) => Source::Global,
            (Source::Variable(slot), _) if self.is_json(slot) => Source::Json,
            _ => Source::Computed,
        }
    }

    /// Whether a variable is a value of an attribute or a token.
    fn is_json(self, slot: u32) -> bool {
        self.ctx.variables.program(slot).is_some_and(|program| {
            let of = Evaluator::new(program, self.ctx);
            match of.content(program.root) {
                Source::Field | Source::FieldOfValue | Source::Json => true,
                Source::Variable(slot) => of.is_json(slot),
                _ => false,
            }
        })
    }

    /// The source of what a variable keeps of the value of a node.
    fn content(self, id: Id) -> Source {
        match self.op(id) {
            Op::Conditional { condition, yes, no } => self.content(self.chosen(condition, yes, no, None)),
            Op::Call { function, args, .. } => self.result(function, self.children(args)),
            Op::SelectOptional { operand, .. } | Op::IndexOptional { operand, .. } => {
                self.part(operand, None)
            }
            _ => self.source(id, None),
        }
    }

    fn result(self, function: u16, args: &[Id]) -> Source {
        let is = |name| TABLE.find(name).is_some_and(|(index, _)| index == function);
        let is_empty = |id| matches!(self.eval(id, None), Ok(Value::List(list)) if list.is_empty());
        match *args {
            [left, right] if is("_+_") && is_empty(left) => self.content(right),
            [left, right] if is("_+_") && is_empty(right) => self.content(left),
            [_, _] if is("_+_") => Source::Joined,
            [value] if is("dyn") => self.content(value),
            _ if is("split") => Source::Split,
            _ => Source::Computed,
        }
    }
}

/// The type in which a variable holds its value: that of what cel-go's value is made of.
fn held_by_variable(ctx: &Activation<'_>, slot: u32) -> &'static str {
    let Some(program) = ctx.variables.program(slot) else { return "<nil>" };
    match (Evaluator::new(program, ctx).content(program.root), program.eval(ctx)) {
        (_, Err(_)) => "<nil>",
        (Source::Variable(other), Ok(Value::List(_) | Value::Map(_))) => held_by_variable(ctx, other),
        (source, Ok(value)) => held(ctx, source, value),
    }
}

fn held(ctx: &Activation<'_>, source: Source, value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "structpb.NullValue",
        Value::Bytes(_) => "[]uint8",
        Value::Timestamp(_) => "time.Time",
        Value::Duration(_) => "time.Duration",
        Value::Optional(None) => "<nil>",
        Value::Optional(Some(inner)) => held(ctx, source, *inner),
        // What is not in the request is made from its description.
        Value::Message(Message::AuxData(_)) if ctx.aux_data.is_none() => "*dynamicpb.Message",
        Value::Message(message) => go_message(message),
        Value::Opaque(opaque) => held_opaque(opaque),
        Value::List(_) => match source {
            Source::Json => "*structpb.ListValue",
            Source::Field | Source::FieldOfValue => "*impl.listReflect",
            Source::Runtime | Source::Split => "[]string",
            Source::Joined | Source::Constant | Source::Global => "[]interface {}",
            Source::Computed | Source::Names | Source::Variable(_) => "[]ref.Val",
        },
        Value::Map(_) => match source {
            Source::Json => "*structpb.Struct",
            Source::Field | Source::FieldOfValue => "*pb.Map",
            Source::Constant => "map[string]interface {}",
            Source::Global => "map[interface {}]interface {}",
            Source::Names => "types.VariablesMap",
            _ => "map[ref.Val]ref.Val",
        },
        Value::Bool(_)
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Double(_)
        | Value::String(_)
        | Value::Type(_) => go_type(value),
    }
}

fn held_opaque(opaque: &Opaque<'_>) -> &'static str {
    match opaque {
        Opaque::Ip(_) => "netip.Addr",
        Opaque::Cidr(_) => "netip.Prefix",
        Opaque::Hierarchy(_) => "[]string",
        Opaque::SpiffeId(_) => "spiffeid.ID",
        Opaque::SpiffeTrustDomain(_) => "spiffeid.TrustDomain",
        Opaque::SpiffeMatcher(_) => "spiffeid.Matcher",
    }
}
