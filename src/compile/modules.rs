//! The variables and constants that the expressions of one policy see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::as_warnings;
use super::definitions::{Site, check_name, list, report_redefinitions};
use super::denials::Denial;
use super::expressions::{Compiler, Expressions, Reads};
use super::imports::{Library, find};
use super::rules;
use super::used::{UsedNames, Written};
use crate::cel::{Const, Expr, Names, Program, References};
use crate::policy::{Constant, ConstantValue, Constants, Definition, Policy, Text, Variables};
use crate::table::{self, Module, ModuleId};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Span, nearest};

/// The modules made so far, and what every module draws on.
pub(super) struct Modules<'l, 'p> {
    pub(super) library: &'l Library<'p>,
    pub(super) expressions: Expressions,
    diagnostics: Diagnostics,
    modules: Vec<Module>,
    /// The DENY rules seen so far.
    pub(super) denials: Vec<Denial<'p>>,
    /// Derived roles policies that were compiled, by name.
    derived_roles: BTreeMap<&'p str, Arc<rules::DerivedRolesModule<'p>>>,
}

struct Variable<'p> {
    site: Site<'p>,
    text: &'p Text,
    expr: Option<Arc<Expr>>,
}

/// The names that the expressions of one policy see.
pub(super) struct ModuleScope<'p> {
    pub(super) id: ModuleId,
    constants: BTreeMap<&'p str, Const>,
    /// Slots by name; variables in a circle have none.
    slots: BTreeMap<&'p str, u32>,
    names: Vec<&'p str>,
    /// For each slot, what evaluating it reads: its own slot and all that it needs.
    reads: Vec<Reads>,
    /// The variables' expressions, as far as they are right.
    exprs: BTreeMap<&'p str, Arc<Expr>>,
    /// Keys of the policies that export names to this one.
    pub(super) imports: BTreeSet<String>,
    /// Whether there are other variables, or constants, in imports that were not found.
    lacks_variables: bool,
    lacks_constants: bool,
}

impl Names for ModuleScope<'_> {
    fn variable(&self, name: &str) -> Option<u32> {
        self.slots.get(name).copied()
    }

    fn constant(&self, name: &str) -> Option<&Const> {
        self.constants.get(name)
    }

    fn variables(&self) -> Vec<(&str, u32)> {
        self.slots.iter().map(|(name, slot)| (*name, *slot)).collect()
    }

    fn constants(&self) -> Vec<(&str, &Const)> {
        self.constants.iter().map(|(name, value)| (*name, value)).collect()
    }
}

impl<'p> ModuleScope<'p> {
    /// What evaluating a variable reads; none for one that is not defined.
    pub(super) fn variable_reads(&self, name: &str) -> Option<&Reads> {
        self.slots.get(name).and_then(|slot| self.reads.get(*slot as usize))
    }

    /// The names of the constants that the expression of a variable reads itself.
    fn constants_read<'s>(&'s self, references: &'s References) -> impl Iterator<Item = &'s str> {
        let by_name = references.constants.iter().map(|(name, _)| name.as_str());
        let whole = self.constants.keys().copied().filter(|_| references.whole_names);
        by_name.chain(whole)
    }

    /// The constants among these names.
    pub(super) fn constants_among(&self, names: &BTreeSet<String>) -> table::Constants {
        let named = names.iter().filter_map(|name| self.constants.get_key_value(name.as_str()));
        named.map(|(name, value)| ((*name).into(), value.clone())).collect()
    }

    /// The expression that a variable stands for.
    pub(super) fn variable_expr(&self, name: &str) -> Option<&Expr> {
        self.exprs.get(name).map(|expr| &**expr)
    }

    /// Reports what an expression reads that is not defined; false if there is any.
    pub(super) fn check_references(
        &self,
        policy: &Policy,
        text: &Text,
        references: &References,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let known = |name: &str| self.lacks_variables || self.names.contains(&name);
        let variables = undefined("variable", &references.variables, known, &self.names);
        let constants: Vec<&str> = self.constants.keys().copied().collect();
        let constants = undefined(
            "constant",
            &references.constants,
            |name| self.lacks_constants || constants.contains(&name),
            &constants,
        );
        let before = diagnostics.iter().len();
        for (code, (span, message, hint)) in variables
            .into_iter()
            .map(|missing| (Code::UndefinedVariable, missing))
            .chain(constants.into_iter().map(|missing| (Code::UndefinedConstant, missing)))
        {
            diagnostics
                .push(Diagnostic::error(code, &policy.source, text.locate(span), message).with_hint(hint));
        }
        diagnostics.iter().len() == before
    }
}

fn undefined(
    what: &str,
    references: &[(String, Span)],
    known: impl Fn(&str) -> bool,
    names: &[&str],
) -> Vec<(Span, String, String)> {
    let missing = references.iter().filter(|(name, _)| !known(name));
    let report = |(name, span): &(String, Span)| {
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("define it under `{what}s.local`, or import the policy that exports it"),
        };
        (*span, format!("undefined {what} `{name}`"), hint)
    };
    missing.map(report).collect()
}

impl<'l, 'p> Modules<'l, 'p> {
    pub(super) fn new(library: &'l Library<'p>) -> Self {
        Self {
            library,
            expressions: Expressions::default(),
            diagnostics: Diagnostics::new(),
            modules: Vec::new(),
            denials: Vec::new(),
            derived_roles: BTreeMap::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn take_diagnostics(&mut self) -> Diagnostics {
        std::mem::take(&mut self.diagnostics)
    }

    pub(super) fn into_modules(self) -> Box<[Module]> {
        self.modules.into()
    }

    /// The names that expressions see which use them whole, if these are all that are written in one place.
    pub(super) fn used<'s>(
        &mut self,
        scope: &'s ModuleScope<'p>,
        written: impl Iterator<Item = Written<'p>>,
    ) -> UsedNames<'s, 'p> {
        UsedNames::of(scope, &mut self.expressions, written)
    }

    /// Compiles expressions of a policy in its scope, and tells what they read.
    pub(super) fn with_compiler<T>(
        &mut self,
        policy: &'p Policy,
        names: &UsedNames<'_, 'p>,
        compile: impl FnOnce(&mut Compiler<'_, 'p>) -> T,
    ) -> (T, Reads) {
        let mut compiler = Compiler {
            policy,
            names,
            expressions: &mut self.expressions,
            diagnostics: &mut self.diagnostics,
            reads: Reads::default(),
        };
        let compiled = compile(&mut compiler);
        (compiled, compiler.reads)
    }

    /// The derived roles of a policy, compiled once however many import them.
    pub(super) fn derived_roles(&mut self, name: &'p str) -> Option<Arc<rules::DerivedRolesModule<'p>>> {
        if let Some(compiled) = self.derived_roles.get(name) {
            return Some(Arc::clone(compiled));
        }
        let (policy, body) = *self.library.derived_roles.get(name)?;
        let compiled = Arc::new(rules::derived_roles(policy, body, self));
        self.derived_roles.insert(name, Arc::clone(&compiled));
        Some(compiled)
    }

    /// Compiles what nothing imports, so that its mistakes are known before somebody does: as warnings,
    /// because the PDP accepts such a set.
    pub(super) fn compile_unused(&mut self) {
        let errors = self.take_diagnostics();
        for (name, (policy, body)) in &self.library.derived_roles {
            if !self.derived_roles.contains_key(name) {
                rules::derived_roles(policy, body, self);
            }
        }
        for (policy, body) in self.library.variables.values() {
            let diagnostics = self.check_definitions(policy, &body.definitions);
            self.diagnostics.extend(diagnostics);
        }
        for (policy, body) in self.library.constants.values() {
            body.definitions.iter().for_each(|it| check_name(policy, "constant", it, &mut self.diagnostics));
        }
        let mut unused: Vec<Diagnostic> = as_warnings(self.take_diagnostics()).collect();
        let place = |diagnostic: &Diagnostic| {
            diagnostic.label.as_ref().map(|label| (label.file.clone(), label.start))
        };
        unused.retain(|warning| !errors.iter().any(|error| place(error) == place(warning)));
        self.diagnostics = errors;
        self.diagnostics.extend(unused);
    }

    /// What is wrong with exported variables, whoever imports them.
    pub(super) fn check_definitions(
        &mut self,
        policy: &Policy,
        definitions: &[Definition<Text>],
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for definition in definitions {
            check_name(policy, "variable", definition, &mut diagnostics);
            self.expressions.check(policy, &definition.value, &mut diagnostics);
        }
        diagnostics
    }

    /// Compiles the variables of a policy and gathers what its expressions see.
    pub(super) fn scope(
        &mut self,
        policy: &'p Policy,
        constants: &'p Constants,
        variables: &'p Variables,
    ) -> ModuleScope<'p> {
        let id = ModuleId(Span::at(self.modules.len()).start);
        let library = self.library;
        let imports = self.imports(constants, variables);
        let lacks_variables =
            variables.import.iter().any(|name| !library.variables.contains_key(name.as_str()));
        let lacks_constants =
            constants.import.iter().any(|name| !library.constants.contains_key(name.as_str()));
        let constants = self.constants(policy, constants);
        let variables = self.variables(policy, variables);
        let needs = references_between(&variables);
        let order = self.order(&variables, &needs);
        let mut scope = ModuleScope {
            id,
            constants,
            slots: order.iter().zip(0..).map(|(name, slot)| (*name, slot)).collect(),
            names: variables.keys().copied().collect(),
            reads: Vec::new(),
            exprs: variables.iter().filter_map(|(name, it)| Some((*name, it.expr.clone()?))).collect(),
            imports,
            lacks_variables,
            lacks_constants,
        };
        scope.reads = reads_of_slots(&order, &needs, &variables, &scope);
        let mut module =
            Module { names: order.iter().map(|name| (*name).into()).collect(), ..Module::default() };
        (module.programs, module.texts) = self.programs(&order, &variables, &scope);
        self.modules.push(module);
        scope
    }

    fn imports(&self, constants: &Constants, variables: &Variables) -> BTreeSet<String> {
        let of_constants =
            constants.import.iter().filter_map(|name| self.library.constants.get(name.as_str()));
        let of_variables =
            variables.import.iter().filter_map(|name| self.library.variables.get(name.as_str()));
        of_constants
            .map(|(policy, _)| policy.key())
            .chain(of_variables.map(|(policy, _)| policy.key()))
            .collect()
    }

    fn constants(&mut self, policy: &'p Policy, constants: &'p Constants) -> BTreeMap<&'p str, Const> {
        let mut sites: BTreeMap<&'p str, Vec<Site<'p>>> = BTreeMap::new();
        let mut values = BTreeMap::new();
        let library = self.library;
        let mut define = |policy: &'p Policy, definition: &'p Definition<Constant>, origin: String| {
            let site = Site { policy, span: definition.name.span, origin };
            sites.entry(&definition.name).or_default().push(site);
            values.insert(definition.name.as_str(), to_const(&definition.value));
        };
        for import in &constants.import {
            match find(policy, "constants", import, &library.constants) {
                Ok((exporter, body)) => {
                    for definition in &body.definitions {
                        check_name(exporter, "constant", definition, &mut self.diagnostics);
                        define(exporter, definition, format!("import '{}'", import.value));
                    }
                }
                Err(diagnostic) => self.diagnostics.push(*diagnostic),
            }
        }
        for definition in &constants.local {
            check_name(policy, "constant", definition, &mut self.diagnostics);
            define(policy, definition, "policy local constants".to_owned());
        }
        report_redefinitions(Code::ConstantRedefined, "constant", policy, &sites, &mut self.diagnostics);
        values
    }

    fn variables(&mut self, policy: &'p Policy, variables: &'p Variables) -> BTreeMap<&'p str, Variable<'p>> {
        let mut definitions: Vec<(&'p Policy, &'p Definition<Text>, String)> = Vec::new();
        for import in &variables.import {
            match find(policy, "variables", import, &self.library.variables) {
                Ok((exporter, body)) => {
                    let origin = format!("import '{}'", import.value);
                    definitions.extend(body.definitions.iter().map(|it| (exporter, it, origin.clone())));
                }
                Err(diagnostic) => self.diagnostics.push(*diagnostic),
            }
        }
        let local = variables.local.iter().map(|it| (policy, it, "policy local variables".to_owned()));
        let top_level = policy
            .variables
            .iter()
            .map(|it| (policy, it, "deprecated top-level policy variables".to_owned()));
        definitions.extend(local.chain(top_level));

        let mut sites: BTreeMap<&'p str, Vec<Site<'p>>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        for (owner, definition, origin) in definitions {
            check_name(owner, "variable", definition, &mut self.diagnostics);
            let expr = self
                .expressions
                .check(owner, &definition.value, &mut self.diagnostics)
                .filter(|_| self.expressions.can_begin(owner, &definition.value, &mut self.diagnostics));
            let site = || Site { policy: owner, span: definition.name.span, origin: origin.clone() };
            sites.entry(&definition.name).or_default().push(site());
            found.insert(definition.name.as_str(), Variable { site: site(), text: &definition.value, expr });
        }
        report_redefinitions(Code::VariableRedefined, "variable", policy, &sites, &mut self.diagnostics);
        found
    }

    /// The variables in an order in which each comes after those that it reads. Those in a circle are
    /// reported and left out.
    fn order(
        &mut self,
        variables: &BTreeMap<&'p str, Variable<'p>>,
        needs: &BTreeMap<&'p str, Vec<&'p str>>,
    ) -> Vec<&'p str> {
        let mut order: Vec<&'p str> = Vec::with_capacity(variables.len());
        let mut left: Vec<&'p str> = variables.keys().copied().collect();
        loop {
            let ready = |name: &&'p str| {
                needs.get(name).is_none_or(|needs| needs.iter().all(|it| order.contains(it)))
            };
            let Some(at) = left.iter().position(ready) else { break };
            order.push(left.remove(at));
        }
        let in_circle: Vec<&'p str> =
            left.iter().copied().filter(|name| reaches(name, name, needs)).collect();
        let mut reported: Vec<&str> = Vec::new();
        for name in &in_circle {
            if reported.contains(name) {
                continue;
            }
            let circle: Vec<&str> = in_circle
                .iter()
                .copied()
                .filter(|it| reaches(name, it, needs) && reaches(it, name, needs))
                .collect();
            self.diagnostics.push(circle_diagnostic(&circle, variables));
            reported.extend(circle);
        }
        order
    }

    fn programs(
        &mut self,
        order: &[&'p str],
        variables: &BTreeMap<&'p str, Variable<'p>>,
        scope: &ModuleScope<'p>,
    ) -> (Box<[Program]>, Box<[Arc<str>]>) {
        for variable in variables.values() {
            if let Some(expr) = &variable.expr {
                let owner = variable.site.policy;
                scope.check_references(owner, variable.text, expr.references(), &mut self.diagnostics);
            }
        }
        // A variable whose expression is wrong has been reported, and its set is refused: a gap in the slots
        // is never read.
        let compiled = order.iter().filter_map(|name| variables.get(name)).filter_map(|variable| {
            let program = Program::lower(variable.expr.as_ref()?, scope);
            Some((program, self.expressions.shared_text(&variable.text.value)))
        });
        let (programs, texts): (Vec<_>, Vec<_>) = compiled.unzip();
        (programs.into(), texts.into())
    }
}

/// A JSON value of a policy or test, as expressions see it.
#[must_use]
pub fn to_const(constant: &Constant) -> Const {
    match &constant.value {
        ConstantValue::Null => Const::Null,
        ConstantValue::Bool(value) => Const::Bool(*value),
        ConstantValue::Number(value) => Const::Double(*value),
        ConstantValue::String(text) => Const::string(text.as_str()),
        ConstantValue::List(elements) => Const::list(elements.iter().map(to_const).collect()),
        ConstantValue::Map(entries) => Const::map(
            entries.iter().map(|(key, value)| (Const::string(key.as_str()), to_const(value))).collect(),
        ),
    }
}

/// For each variable, the variables that its expression reads.
fn references_between<'p>(variables: &BTreeMap<&'p str, Variable<'p>>) -> BTreeMap<&'p str, Vec<&'p str>> {
    let reads = |variable: &Variable<'p>| {
        let references = variable.expr.iter().flat_map(|expr| &expr.references().variables);
        references
            .filter_map(|(name, _)| variables.get_key_value(name.as_str()).map(|(name, _)| *name))
            .collect()
    };
    variables.iter().map(|(name, variable)| (*name, reads(variable))).collect()
}

/// Whether reading `from` needs `to`, directly or through others.
fn reaches<'p>(from: &'p str, to: &str, needs: &BTreeMap<&'p str, Vec<&'p str>>) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut next: Vec<&str> = needs.get(from).into_iter().flatten().copied().collect();
    while let Some(name) = next.pop() {
        if name == to {
            return true;
        }
        if !seen.contains(&name) {
            seen.push(name);
            next.extend(needs.get(name).into_iter().flatten());
        }
    }
    false
}

/// What each slot reads; slots are in an order in which each comes after those that it needs.
fn reads_of_slots(
    order: &[&str],
    needs: &BTreeMap<&str, Vec<&str>>,
    variables: &BTreeMap<&str, Variable<'_>>,
    scope: &ModuleScope<'_>,
) -> Vec<Reads> {
    let mut of_slots: Vec<Reads> = Vec::with_capacity(order.len());
    for (name, slot) in order.iter().zip(0..) {
        let mut reads = Reads { variables: vec![slot], ..Reads::default() };
        if let Some(expr) = variables.get(name).and_then(|variable| variable.expr.as_ref()) {
            reads.runtime = expr.references().runtime;
            reads.attributes.add(expr.references());
            reads.constants.extend(scope.constants_read(expr.references()).map(str::to_owned));
        }
        let needed = needs.get(name).into_iter().flatten().filter_map(|name| scope.slots.get(name));
        needed.filter_map(|slot| of_slots.get(*slot as usize)).for_each(|needed| reads.merge(needed));
        of_slots.push(reads);
    }
    of_slots
}

fn circle_diagnostic(circle: &[&str], variables: &BTreeMap<&str, Variable<'_>>) -> Diagnostic {
    let sites = || circle.iter().filter_map(|name| variables.get(name)).map(|variable| &variable.site);
    let message = match circle {
        [only] => format!("variable `{only}` references itself"),
        _ => format!("variables {} form a circle", list(circle.iter().map(|name| format!("`{name}`")))),
    };
    let Some(first) = sites().next() else { return Diagnostic::unplaced(Code::CyclicalVariables, message) };
    let diagnostic = Diagnostic::error(Code::CyclicalVariables, &first.policy.source, first.span, message)
        .with_hint("a variable can only read variables that can be evaluated before it");
    sites().skip(1).fold(diagnostic, |diagnostic, site| {
        diagnostic
            .with_related(Label::new(&site.policy.source, site.span).with_note("takes part in the circle"))
    })
}
