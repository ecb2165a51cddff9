//! What a program is evaluated against: the request, the clock's reading, and the policy's variables.

use std::cell::Cell;
use std::fmt;

use bumpalo::Bump;

use super::{EvalError, EvalResult, List, Map, Opaque, Program, Timestamp, Value};

/// Who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Principal<'a> {
    /// `P.id`
    pub id: &'a str,
    /// `P.roles`
    pub roles: &'a [&'a str],
    /// `P.attr`
    pub attr: Map<'a>,
    /// `P.policyVersion`; empty when the request does not say.
    pub policy_version: &'a str,
    /// `P.scope`; empty when the request does not say.
    pub scope: &'a str,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resource<'a> {
    /// `R.kind`
    pub kind: &'a str,
    /// `R.id`
    pub id: &'a str,
    /// `R.attr`
    pub attr: Map<'a>,
    /// `R.policyVersion`; empty when the request does not say.
    pub policy_version: &'a str,
    /// `R.scope`; empty when the request does not say.
    pub scope: &'a str,
}

/// `request.auxData`
#[derive(Clone, Copy, Debug, Default)]
pub struct AuxData<'a> {
    /// The claims of the one token: `request.auxData.jwt`.
    pub jwt: Map<'a>,
    /// The claims of each named token: `request.auxData.jwts.NAME.claims`.
    pub jwts: Map<'a>,
}

/// `runtime.effectiveDerivedRoles`, sorted, or why they are not known.
pub type RuntimeRoles<'a> = Result<&'a [&'a str], EvalError<'a>>;

/// Everything an expression can see. One serves all programs of a request with the same variables.
#[derive(Clone, Copy)]
pub struct Activation<'a> {
    /// Where new strings, lists and maps go.
    pub arena: &'a Bump,
    /// `P`, `request.principal`
    pub principal: &'a Principal<'a>,
    /// `R`, `request.resource`
    pub resource: &'a Resource<'a>,
    /// `request.auxData`
    pub aux_data: Option<&'a AuxData<'a>>,
    /// `G`, `globals`
    pub globals: Map<'a>,
    /// `now()`: one reading for the whole request.
    pub now: Timestamp,
    /// Set when an expression asks for the time, by `now()` or `timeSince()`.
    pub now_was_read: Option<&'a Cell<bool>>,
    /// `runtime.effectiveDerivedRoles`
    pub effective_derived_roles: RuntimeRoles<'a>,
    /// `V`, `variables`
    pub variables: Variables<'a>,
}

impl<'a> Activation<'a> {
    /// A request without anything else: no auxiliary data, globals, derived roles or variables, at the Unix epoch.
    #[must_use]
    pub fn new(arena: &'a Bump, principal: &'a Principal<'a>, resource: &'a Resource<'a>) -> Self {
        Self {
            arena,
            principal,
            resource,
            aux_data: None,
            globals: Map::EMPTY,
            now: Timestamp::default(),
            now_was_read: None,
            effective_derived_roles: Ok(&[]),
            variables: Variables::new_in(arena, &[]),
        }
    }

    /// The time, for an expression that asks for it.
    pub(super) fn read_now(&self) -> Timestamp {
        if let Some(was_read) = self.now_was_read {
            was_read.set(true);
        }
        self.now
    }
}

/// A scope as expressions read it: `.`, which asks for the root, is empty.
pub(crate) fn scope_value(scope: &str) -> &str {
    scope.strip_prefix('.').unwrap_or(scope)
}

/// A policy's variables, each evaluated when it is first read and at most once.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    programs: &'a [Program],
    memo: &'a [Cell<Memo<'a>>],
    /// Levels of the expressions that are being evaluated.
    height: &'a Cell<u32>,
    /// Whether a variable is only evaluated after all before it.
    in_order: bool,
    /// Whether a variable that cannot be evaluated reads as null.
    null_for_failed: bool,
    /// Whether an error is being explained. What fails meanwhile needs no explanation, which could cost as much again.
    explaining: bool,
}

#[derive(Clone, Copy)]
enum Memo<'a> {
    Unread,
    Running,
    Known(EvalResult<'a>),
}

/// Evaluations may nest to so many levels of expressions. A longer chain of variables is evaluated from
/// its start; slots that are not in dependency order can then not exhaust the stack.
const MAX_HEIGHT: u32 = 750;

impl<'a> Variables<'a> {
    /// The variables of a policy; a slot is an index into `programs`. A variable should stand after
    /// those it refers to.
    #[must_use]
    pub fn new_in(arena: &'a Bump, programs: &'a [Program]) -> Self {
        Self::with_height(arena, programs, arena.alloc(Cell::new(0)))
    }

    /// The variables of another policy, for the same request.
    #[must_use]
    pub(crate) fn beside(self, arena: &'a Bump, programs: &'a [Program]) -> Self {
        Self::with_height(arena, programs, self.height)
    }

    fn with_height(arena: &'a Bump, programs: &'a [Program], height: &'a Cell<u32>) -> Self {
        let memo = arena.alloc_slice_fill_with(programs.len(), |_| Cell::new(Memo::Unread));
        let chain: u32 = programs.iter().map(|program| u32::from(program.height())).sum();
        Self {
            programs,
            memo,
            height,
            in_order: chain > MAX_HEIGHT,
            null_for_failed: false,
            explaining: false,
        }
    }

    /// The same variables, of which those that cannot be evaluated read as null.
    #[must_use]
    pub fn with_null_for_failed(self) -> Self {
        Self { null_for_failed: true, ..self }
    }

    /// The value of a variable, as expressions see it.
    pub(crate) fn read(self, slot: u32, ctx: &Activation<'a>) -> EvalResult<'a> {
        match self.get(slot, ctx) {
            Err(_) if self.null_for_failed => Ok(Value::Null),
            result => result,
        }
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// Those of its expression, and variables that refer to each other in a circle.
    pub fn get(self, slot: u32, ctx: &Activation<'a>) -> EvalResult<'a> {
        let slot = slot as usize;
        if let Some(Memo::Known(result)) = self.memo.get(slot).map(Cell::get) {
            return result;
        }
        if self.in_order {
            for earlier in 0..slot {
                // An error of another variable shows where that variable is read.
                let _ = self.evaluate(earlier, ctx);
            }
        }
        self.evaluate(slot, ctx)
    }

    /// The variables of an evaluation that explains an error.
    pub(super) fn explaining(self) -> Self {
        Self { explaining: true, ..self }
    }

    pub(super) fn are_explaining(self) -> bool {
        self.explaining
    }

    /// The program of a variable.
    pub(super) fn program(self, slot: u32) -> Option<&'a Program> {
        self.programs.get(slot as usize)
    }

    fn evaluate(self, slot: usize, ctx: &Activation<'a>) -> EvalResult<'a> {
        let (Some(memo), Some(program)) = (self.memo.get(slot), self.programs.get(slot)) else {
            return Err(EvalError::VariableRecursion);
        };
        match memo.get() {
            Memo::Known(result) => return result,
            Memo::Running => return Err(EvalError::VariableRecursion),
            Memo::Unread => {}
        }
        let outer = self.height.get();
        let height = outer + u32::from(program.height());
        if height > MAX_HEIGHT {
            return Err(EvalError::VariableRecursion);
        }
        memo.set(Memo::Running);
        self.height.set(height);
        let result = program.eval(ctx).and_then(|value| kept(value, ctx));
        self.height.set(outer);
        memo.set(Memo::Known(result));
        result
    }
}

/// What is left of a value once a variable holds it: the PDP keeps the values of Go, in which optionals, types
/// and hierarchies are what they hold, and SPIFFE values are nothing.
fn kept<'a>(value: Value<'a>, ctx: &Activation<'a>) -> EvalResult<'a> {
    match value {
        Value::Optional(None) => Ok(Value::Null),
        Value::Optional(Some(inner)) => kept(*inner, ctx),
        Value::Type(name) => Ok(Value::String(name)),
        Value::Opaque(opaque) => match opaque {
            Opaque::Ip(_) | Opaque::Cidr(_) => Ok(value),
            Opaque::Hierarchy(segments) => Ok(Value::List(*segments)),
            Opaque::SpiffeId(_) | Opaque::SpiffeTrustDomain(_) | Opaque::SpiffeMatcher(_) => {
                let kind = opaque.type_name();
                Err(EvalError::message(
                    ctx.arena,
                    format_args!("a variable cannot hold a value of type {kind}"),
                ))
            }
        },
        _ => Ok(value),
    }
}

impl fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").field("len", &self.programs.len()).finish_non_exhaustive()
    }
}

/// The request, or a part of it that is no plain value, where an expression uses it whole.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Message<'a> {
    /// `request`
    Request(&'a Request<'a>),
    /// `P`
    Principal(&'a Principal<'a>),
    /// `R`
    Resource(&'a Resource<'a>),
    /// `request.auxData`
    AuxData(&'a AuxData<'a>),
    /// One of `request.auxData.jwts`: its claims.
    Jwt(&'a Map<'a>),
    /// `runtime`: the effective derived roles.
    Runtime(&'a &'a [&'a str]),
}

/// `request` as one value.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `request.principal`
    pub principal: &'a Principal<'a>,
    /// `request.resource`
    pub resource: &'a Resource<'a>,
    /// `request.auxData`
    pub aux_data: Option<&'a AuxData<'a>>,
}

impl<'a> Message<'a> {
    /// The protobuf name.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Request(_) => "cerbos.engine.v1.Request",
            Self::Principal(_) => "cerbos.engine.v1.Request.Principal",
            Self::Resource(_) => "cerbos.engine.v1.Request.Resource",
            Self::AuxData(_) => "cerbos.engine.v1.AuxData",
            Self::Jwt(_) => "cerbos.engine.v1.AuxData.JWT",
            Self::Runtime(_) => "cerbos.engine.v1.Runtime",
        }
    }

    /// A field by either of its spellings; an unset one reads as its default. `None`: there is no such field.
    #[must_use]
    pub fn field(self, arena: &'a Bump, name: &str) -> Option<Value<'a>> {
        let value = match (self, name) {
            (Self::Request(request), "principal") => Value::Message(Message::Principal(request.principal)),
            (Self::Request(request), "resource") => Value::Message(Message::Resource(request.resource)),
            (Self::Request(request), "aux_data" | "auxData") => {
                Value::Message(Message::AuxData(request.aux_data.unwrap_or(&NO_AUX_DATA)))
            }
            (Self::Principal(principal), "id") => Value::String(principal.id),
            (Self::Principal(principal), "roles") => Value::List(List::of_strings(&principal.roles)),
            (Self::Principal(principal), "attr") => Value::Map(principal.attr),
            (Self::Principal(principal), "policy_version" | "policyVersion") => {
                Value::String(principal.policy_version)
            }
            (Self::Principal(principal), "scope") => Value::String(scope_value(principal.scope)),
            (Self::Resource(resource), "kind") => Value::String(resource.kind),
            (Self::Resource(resource), "id") => Value::String(resource.id),
            (Self::Resource(resource), "attr") => Value::Map(resource.attr),
            (Self::Resource(resource), "policy_version" | "policyVersion") => {
                Value::String(resource.policy_version)
            }
            (Self::Resource(resource), "scope") => Value::String(scope_value(resource.scope)),
            (Self::AuxData(aux_data), "jwt") => Value::Map(aux_data.jwt),
            (Self::AuxData(aux_data), "jwts") => Value::Map(jwts(arena, aux_data.jwts)),
            (Self::Jwt(claims), "claims") => Value::Map(*claims),
            (Self::Runtime(roles), "effective_derived_roles" | "effectiveDerivedRoles") => {
                Value::List(List::of_strings(roles))
            }
            _ => return None,
        };
        Some(value)
    }

    pub(crate) fn equals(self, other: Message<'_>) -> bool {
        match (self, other) {
            (Self::Request(a), Message::Request(b)) => {
                Message::Principal(a.principal).equals(Message::Principal(b.principal))
                    && Message::Resource(a.resource).equals(Message::Resource(b.resource))
                    && match (a.aux_data, b.aux_data) {
                        (Some(a), Some(b)) => Message::AuxData(a).equals(Message::AuxData(b)),
                        (None, None) => true,
                        _ => false,
                    }
            }
            (Self::Principal(a), Message::Principal(b)) => {
                (a.id, a.roles, a.policy_version, a.scope) == (b.id, b.roles, b.policy_version, b.scope)
                    && Value::Map(a.attr).equals(Value::Map(b.attr))
            }
            (Self::Resource(a), Message::Resource(b)) => {
                (a.kind, a.id, a.policy_version, a.scope) == (b.kind, b.id, b.policy_version, b.scope)
                    && Value::Map(a.attr).equals(Value::Map(b.attr))
            }
            (Self::AuxData(a), Message::AuxData(b)) => {
                Value::Map(a.jwt).equals(Value::Map(b.jwt)) && Value::Map(a.jwts).equals(Value::Map(b.jwts))
            }
            (Self::Jwt(a), Message::Jwt(b)) => Value::Map(*a).equals(Value::Map(*b)),
            (Self::Runtime(a), Message::Runtime(b)) => a == b,
            _ => false,
        }
    }
}

/// What an unset `request.auxData` reads as.
static NO_AUX_DATA: AuxData<'static> = AuxData { jwt: Map::EMPTY, jwts: Map::EMPTY };

/// The named tokens as messages with the one field `claims`.
fn jwts<'a>(arena: &'a Bump, jwts: Map<'a>) -> Map<'a> {
    let message = |(name, claims)| match claims {
        Value::Map(claims) => (name, Value::Message(Message::Jwt(arena.alloc(claims)))),
        other => (name, other),
    };
    let mut entries = bumpalo::collections::Vec::with_capacity_in(jwts.len(), arena);
    entries.extend(jwts.iter().map(message));
    Map::of_entries(arena, &entries)
}
