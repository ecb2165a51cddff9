//! A compiled policy set that answers requests: immutable, shared between threads at will.

use std::cell::Cell;
use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use crate::bundle::{self, BrokenSchema, Unreadable, unpack};
use crate::cel::{Const, Map, Timestamp, Value};
use crate::check::{Checker, Context, Decision, Detail, Options};
use crate::compile::{Compiled, Settings, check_remains, compile};
use crate::contract::CheckResourcesRequest;
use crate::policy::{self, Budget, FileKind, Policy};
use crate::schema::{Enforcement, Library};
use crate::table::{AttributeSet, NameMap, PolicyOutline, RuleTable};
use crate::text::{Code, Diagnostic, Diagnostics, Source, Span};

/// Policies and options, ready to decide.
#[derive(Debug)]
pub struct Engine {
    table: RuleTable,
    options: Options,
    globals: Const,
    warnings: Diagnostics,
}

/// What one call decides by. [`Engine::call`] gives the engine's own settings; a test suite or a trial changes some.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// How requests are read.
    pub options: &'a Options,
    /// What expressions read as `globals`.
    pub globals: Map<'a>,
    /// What `now()` gives.
    pub now: Timestamp,
    /// Set when an expression asks for the time.
    pub now_was_read: Option<&'a Cell<bool>>,
    /// What to find out besides effects and outputs.
    pub detail: Detail,
}

impl Engine {
    /// Compiles the policies and schemas among the sources. A source is named by its path below the policy directory,
    /// with `/`: the name tells whether it is a policy, a schema, a test, or nothing that concerns the engine.
    /// `globals` is a map (anything else counts as empty).
    ///
    /// # Errors
    /// Everything that is wrong with any of the files.
    pub fn new(
        sources: impl IntoIterator<Item = Source>,
        options: Options,
        globals: Const,
    ) -> Result<Self, Diagnostics> {
        let settings = Settings {
            enforcement: options.schema_enforcement,
            strict_evaluation: options.strict_evaluation,
            globals: &globals,
        };
        let Files { policies, schemas } = read_files(sources, &settings)?;
        let Compiled { mut table, schemas, warnings } = compile(&policies, &schemas, &settings)?;
        if matches!(options.schema_enforcement, Enforcement::Warn | Enforcement::Reject) {
            table.enforce(schemas);
        }
        Ok(Self { table, options, globals, warnings })
    }

    /// Loads what [`pack`] wrote. Of such policies there are no warnings: who packed them has been told.
    ///
    /// # Errors
    /// The payload cannot be read, or has no schemas and they are to be enforced.
    pub fn from_payload(payload: &[u8], options: Options, globals: Const) -> Result<Self, PayloadError> {
        let unpacked = unpack(payload).map_err(PayloadError::Unreadable)?;
        let schemas = match options.schema_enforcement {
            Enforcement::Ignored | Enforcement::None => None,
            Enforcement::Warn | Enforcement::Reject => {
                let compiled = unpacked.schemas().ok_or(PayloadError::NoSchemas)?;
                Some(compiled.map_err(PayloadError::BrokenSchema)?)
            }
        };
        let mut table = unpacked.table;
        schemas.into_iter().for_each(|schemas| table.enforce(schemas));
        Ok(Self { table, options, globals, warnings: Diagnostics::new() })
    }

    /// How many policies are loaded (disabled ones not counted).
    #[must_use]
    pub fn policy_count(&self) -> usize {
        self.table.policy_count
    }

    /// What is odd about the policies.
    #[must_use]
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// The file of each resource, principal and role policy, by policy key.
    #[must_use]
    pub fn policy_sources(&self) -> &NameMap<Box<str>> {
        &self.table.sources
    }

    /// What each resource, principal and role policy holds, by key.
    #[must_use]
    pub fn outlines(&self) -> std::vec::Vec<PolicyOutline<'_>> {
        self.table.outlines()
    }

    /// Whether any policy reads the clock. Where none does, any instant will do.
    #[must_use]
    pub fn reads_clock(&self) -> bool {
        self.table.common_attributes.clock
    }

    /// The attributes that any policy can read of a principal.
    #[must_use]
    pub fn principal_attributes(&self) -> &AttributeSet {
        &self.table.common_attributes.principal
    }

    /// The attributes that any policy can read of a resource of this kind.
    #[must_use]
    pub fn resource_attributes(&self, kind: &str) -> AttributeSet {
        self.table.resource_attributes(&policy::sanitize(kind))
    }

    /// How the engine reads requests.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The engine's own settings at an instant.
    #[must_use]
    pub fn call(&self, now: Timestamp, detail: Detail) -> Call<'_> {
        let globals = match self.globals.value() {
            Value::Map(map) => map,
            _ => Map::EMPTY,
        };
        Call { options: &self.options, globals, now, now_was_read: None, detail }
    }

    /// Decides every action of every resource. `now` is what `now()` gives in all of them.
    pub fn check_resources<'a>(
        &'a self,
        request: &'a CheckResourcesRequest<'a>,
        now: Timestamp,
        detail: Detail,
        arena: &'a Bump,
    ) -> &'a [Decision<'a>] {
        self.check_resources_by(self.call(now, detail), request, arena)
    }

    /// Decides every action of every resource by settings that are not those of the engine.
    pub fn check_resources_by<'a>(
        &'a self,
        call: Call<'a>,
        request: &'a CheckResourcesRequest<'a>,
        arena: &'a Bump,
    ) -> &'a [Decision<'a>] {
        let context = Context {
            principal: &request.principal,
            aux_data: request.aux_data.as_ref(),
            globals: call.globals,
            now: call.now,
            now_was_read: call.now_was_read,
        };
        let mut checker = Checker::new(&self.table, call.options, call.detail, context, arena);
        let mut decisions = Vec::with_capacity_in(request.resources.len(), arena);
        decisions.extend(request.resources.iter().map(|entry| checker.check(&entry.resource, entry.actions)));
        decisions.into_bump_slice()
    }
}

/// Compiles the policies and schemas among the sources, as [`Engine::new`] does, to the payload of a bundle. What comes of it does not
/// depend on the options by which it is loaded; only with `ignore_schemas` it can never enforce any.
///
/// # Errors
/// Everything that is wrong with any of the files.
pub fn pack(sources: impl IntoIterator<Item = Source>, ignore_schemas: bool) -> Result<Packed, Diagnostics> {
    let enforcement = if ignore_schemas { Enforcement::Ignored } else { Enforcement::Reject };
    let globals = Const::map(std::vec::Vec::new());
    let settings = Settings { enforcement, strict_evaluation: false, globals: &globals };
    let Files { policies, schemas } = read_files(sources, &settings)?;
    let Compiled { table, schemas, warnings } = compile(&policies, &schemas, &settings)?;
    let schemas = (!ignore_schemas).then_some(&schemas);
    Ok(Packed { payload: bundle::pack(&table, schemas), policy_count: table.policy_count, warnings })
}

/// Policies as bytes.
#[derive(Debug)]
pub struct Packed {
    /// For [`Engine::from_payload`].
    pub payload: std::vec::Vec<u8>,
    /// How many policies it holds (disabled ones not counted).
    pub policy_count: usize,
    /// What is odd about them.
    pub warnings: Diagnostics,
}

/// Why a payload makes no engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadError {
    /// It cannot be read.
    Unreadable(Unreadable),
    /// Schemas were ignored when it was made, and are to be enforced now.
    NoSchemas,
    /// One of its schemas cannot be compiled.
    BrokenSchema(BrokenSchema),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => unreadable.fmt(f),
            Self::NoSchemas => f.write_str("it was made without schemas, and they are to be enforced"),
            Self::BrokenSchema(broken) => broken.fmt(f),
        }
    }
}

impl std::error::Error for PayloadError {}

/// What the sources hold.
struct Files {
    policies: std::vec::Vec<Policy>,
    schemas: Library,
}

fn read_files(
    sources: impl IntoIterator<Item = Source>,
    settings: &Settings<'_>,
) -> Result<Files, Diagnostics> {
    let mut policies = std::vec::Vec::new();
    let mut remains = std::vec::Vec::new();
    let mut schemas = std::vec::Vec::new();
    let mut diagnostics = Diagnostics::new();
    for source in sources {
        match FileKind::of(source.name()) {
            FileKind::Policy => {}
            FileKind::MisplacedSchema => {
                let message = "a `_schemas` directory is only allowed at the root of the policy directory";
                diagnostics.push(
                    Diagnostic::error(Code::MisplacedSchemas, &source, Span::at(0), message)
                        .with_hint("move the schemas to `_schemas` at the root"),
                );
                continue;
            }
            FileKind::Schema { id } => {
                schemas.push((id, source));
                continue;
            }
            FileKind::Test | FileKind::TestFixture | FileKind::Ignored => continue,
        }
        match policy::read_file(&source, &Budget::default()) {
            Ok(policy) => policies.extend(policy),
            Err(broken) => {
                diagnostics.extend(broken.diagnostics);
                remains.extend(broken.remains.map(|remains| *remains));
            }
        }
    }
    let schemas = Library::new(schemas);
    if diagnostics.has_errors() {
        // Policies that do parse may have mistakes of their own; imports of broken files are not among them.
        diagnostics.extend(compile_errors_besides_imports(&policies, &schemas, settings));
        diagnostics.extend(check_remains(&remains, &policies));
        return Err(diagnostics.sorted());
    }
    if policies.is_empty() {
        let message =
            "there is no policy file here (.yaml, .yml or .json, not counting tests and `_schemas`)";
        return Err(Diagnostic::unplaced(Code::EmptyStore, message)
            .with_hint("point to the directory that holds the policies")
            .into());
    }
    Ok(Files { policies, schemas })
}

fn compile_errors_besides_imports(
    policies: &[Policy],
    schemas: &Library,
    settings: &Settings<'_>,
) -> impl Iterator<Item = Diagnostic> + use<> {
    let follows_from_a_missing_file = |code| {
        matches!(
            code,
            Code::ImportNotFound
                | Code::MissingAncestor
                | Code::UnknownDerivedRole
                | Code::UndefinedVariable
                | Code::UndefinedConstant
        )
    };
    let errors = compile(policies, schemas, settings).err().unwrap_or_default();
    errors.into_iter().filter(move |diagnostic| !follows_from_a_missing_file(diagnostic.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_shared_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Engine>();
    }
}
