//! DENY rules that may be skipped: those whose condition can raise an error, which counts as not satisfied unless
//! evaluation is strict.

use std::sync::Arc;

use super::expressions::Expressions;
use super::modules::ModuleScope;
use super::schemas::PolicySchemas;
use crate::cel::risk::{Analysis, Attribute, Bearer, Facts, Risk, Shapes, Step, settle};
use crate::cel::{Const, Expr, Names};
use crate::policy::{Condition, ConditionKind, Policy, Spanned, Text};
use crate::schema::{SchemaId, SchemaSet};
use crate::table::AttributeSchema;
use crate::text::{Code, Diagnostic, Diagnostics, Label, Severity, Span};

/// A DENY rule.
pub(super) struct Denial<'p> {
    pub(super) policy: &'p Policy,
    pub(super) scope: Arc<ModuleScope<'p>>,
    /// Where the rule is written.
    pub(super) span: Span,
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) condition: Option<&'p Condition>,
    /// The derived roles that it is for.
    pub(super) roles: Vec<Held<'p>>,
    /// Whether it is for derived roles alone, one of which holds whenever its condition is asked.
    pub(super) only_derived: bool,
    pub(super) actions: Vec<&'p Spanned<String>>,
    /// The resource policy whose schemas every request has to satisfy that comes to the rule.
    pub(super) schemas_of: Option<String>,
}

/// A derived role that a rule is for.
#[derive(Clone)]
pub(super) struct Held<'p> {
    pub(super) policy: &'p Policy,
    pub(super) scope: Arc<ModuleScope<'p>>,
    pub(super) condition: Option<&'p Condition>,
}

/// Warns of each rule that may be skipped, once, at the first part of its conditions that can raise.
pub(super) fn check(
    denials: &[Denial<'_>],
    expressions: &Expressions,
    schemas: &PolicySchemas,
    globals: &Const,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for denial in denials {
        let promised = Promised::of(denial, schemas);
        let known = |scope| Known { scope, promised: &promised, expressions, globals };
        diagnostics.extend(check_one(denial, &known));
    }
    diagnostics
}

fn check_one<'k, 'p>(
    denial: &Denial<'p>,
    known: &dyn Fn(Arc<ModuleScope<'p>>) -> Known<'k, 'p>,
) -> Option<Diagnostic> {
    let mut held: Option<Facts> = None;
    let mut first = None;
    for role in &denial.roles {
        let Some(condition) = role.condition else {
            held = Some(Facts::default());
            continue;
        };
        let known = known(Arc::clone(&role.scope));
        let mut tree = Tree { analysis: Analysis::new(&known), known: &known };
        first = first.or_else(|| {
            tree.risk(condition, true, &Facts::default()).map(|(text, risk)| (role.policy, text, risk))
        });
        let facts = tree.assume(condition, true, &Facts::default()).map(Facts::of_the_request);
        held = match (held, facts) {
            (Some(held), Some(facts)) => Some(held.or(&facts)),
            (held, facts) => held.or(facts),
        };
    }
    let facts = held.filter(|_| denial.only_derived).unwrap_or_default();
    let own = denial.condition.and_then(|condition| {
        let known = known(Arc::clone(&denial.scope));
        let found = Tree { analysis: Analysis::new(&known), known: &known }.risk(condition, true, &facts);
        found.map(|(text, risk)| (denial.policy, text, risk))
    });
    own.or(first).map(|(policy, text, risk)| report(denial, policy, text, &risk))
}

fn report(denial: &Denial<'_>, policy: &Policy, text: &Text, risk: &Risk) -> Diagnostic {
    let message = format!("{} is skipped when this raises an error: {}", denial.name, risk.what);
    let diagnostic =
        Diagnostic::error(Code::DenyMayBeSkipped, &policy.source, text.locate(risk.span), message);
    let diagnostic = if std::ptr::eq(policy, denial.policy) {
        diagnostic
    } else {
        diagnostic.with_related(Label::new(&denial.policy.source, denial.span).with_note("the rule"))
    };
    let hint =
        "guard it with `has(…)`, require it in a schema, or open the engine with `strictEvaluation: true`";
    Diagnostic { severity: Severity::Warning, ..diagnostic.with_hint(hint) }
}

/// The schemas that promise something to the conditions of one rule.
struct Promised<'s> {
    set: &'s SchemaSet,
    principal: Option<SchemaId>,
    resource: Option<SchemaId>,
}

impl<'s> Promised<'s> {
    fn of(denial: &Denial<'_>, schemas: &'s PolicySchemas) -> Self {
        let found = denial.schemas_of.as_ref().and_then(|key| schemas.by_policy.get(key));
        let counts = |schema: &Option<AttributeSchema>| {
            schema.as_ref().filter(|schema| always_validated(denial, schema)).map(|schema| schema.schema)
        };
        Self {
            set: &schemas.set,
            principal: found.and_then(|found| counts(&found.principal)),
            resource: found.and_then(|found| counts(&found.resource)),
        }
    }
}

/// Whether attributes are validated for all actions of a rule: of a pattern that is not known where some are ignored.
fn always_validated(denial: &Denial<'_>, schema: &AttributeSchema) -> bool {
    let is_ignored = |action: &str| schema.ignored_actions.iter().any(|ignored| ignored.matches(action));
    let is_pattern = |action: &str| action.contains(['*', '?', '[', '{']);
    schema.ignored_actions.is_empty()
        || denial.actions.iter().all(|action| !is_pattern(action) && !is_ignored(action))
}

/// What the expressions of one policy stand on.
struct Known<'k, 'p> {
    scope: Arc<ModuleScope<'p>>,
    promised: &'k Promised<'k>,
    expressions: &'k Expressions,
    globals: &'k Const,
}

impl Shapes for Known<'_, '_> {
    fn attribute(&self, of: Bearer, path: &[Step]) -> Attribute {
        let schema = match of {
            Bearer::Principal => self.promised.principal,
            Bearer::Resource => self.promised.resource,
        };
        schema.map_or(Attribute::UNKNOWN, |schema| self.promised.set.attribute(schema, path))
    }

    fn variable(&self, name: &str) -> Option<&Expr> {
        self.scope.variable_expr(name)
    }

    fn constant(&self, name: &str) -> Option<&Const> {
        self.scope.constant(name)
    }

    fn global(&self, name: &str) -> Option<&Const> {
        match self.globals {
            Const::Map(globals) => globals.get(name),
            _ => None,
        }
    }
}

/// The analysis of condition trees. A leaf that raises counts as not satisfied.
struct Tree<'k, 'p> {
    analysis: Analysis<'k>,
    known: &'k Known<'k, 'p>,
}

impl<'k> Tree<'k, '_> {
    fn expr(&self, text: &Text) -> Option<&'k Expr> {
        self.known.expressions.known(&text.value)
    }

    /// The first part that can raise and keep the whole from being satisfied. `needed`: whether that is to be
    /// satisfied; below `none` an error is on the safe side.
    fn risk<'t>(&mut self, tree: &'t Condition, needed: bool, facts: &Facts) -> Option<(&'t Text, Risk)> {
        let (trees, satisfied, needed) = match &tree.kind {
            ConditionKind::Expr(text) => {
                let expr = self.expr(text).filter(|_| needed)?;
                return self.analysis.risk(expr, facts).map(|risk| (text, risk));
            }
            ConditionKind::All(trees) => (trees, true, needed),
            ConditionKind::Any(trees) => (trees, false, needed),
            ConditionKind::None(trees) => (trees, false, !needed),
        };
        settle(
            self,
            trees,
            facts,
            |context, tree, facts| context.risk(tree, needed, facts),
            |context, tree, facts| context.assume(tree, satisfied, facts),
        )
    }

    /// The facts once a tree is satisfied, or not; none if that cannot be.
    fn assume(&mut self, tree: &Condition, satisfied: bool, facts: &Facts) -> Option<Facts> {
        let (trees, every, of_each) = match &tree.kind {
            ConditionKind::Expr(text) => {
                return match self.expr(text) {
                    Some(expr) if satisfied => self.analysis.satisfied(expr, facts),
                    Some(expr) => self.analysis.unsatisfied(expr, facts),
                    None => Some(facts.clone()),
                };
            }
            ConditionKind::All(trees) => (trees, satisfied, satisfied),
            ConditionKind::Any(trees) => (trees, !satisfied, satisfied),
            ConditionKind::None(trees) => (trees, satisfied, !satisfied),
        };
        if every {
            return trees.iter().try_fold(facts.clone(), |facts, tree| self.assume(tree, of_each, &facts));
        }
        trees.iter().filter_map(|tree| self.assume(tree, of_each, facts)).reduce(|a, b| a.or(&b))
    }
}
