//! Test tables → single tests: one for each principal and resource, with what it expects.

use std::collections::{BTreeMap, BTreeSet};

use orthrus::policy::{Effect, Spanned};
use orthrus::text::{Code, Diagnostic, Diagnostics, Label, Span};

use super::fixtures::{Scope, suggest};
use super::suite::{
    AuxData, Expectation, ExpectedOutput, Fixtures, Group, Members, Principal, Resource, Suite, TestOptions,
    TestTable,
};

/// A principal, a resource, and what the principal may do with it.
#[derive(Debug)]
pub struct Test<'s> {
    /// The table it comes from.
    pub table: &'s TestTable,
    /// The principal with its name.
    pub principal: (&'s str, &'s Principal),
    /// The resource with its name.
    pub resource: (&'s str, &'s Resource),
    /// Claims.
    pub aux_data: Option<&'s AuxData>,
    /// What is to be answered.
    pub expected: Expected<'s>,
    /// Settings: those of the test, or else those of its suite.
    pub options: Option<&'s TestOptions>,
}

/// What is to be answered to one principal and resource.
#[derive(Clone, Debug, Default)]
pub struct Expected<'s> {
    /// Effects by action; actions that are not named are to be denied.
    pub effects: BTreeMap<&'s str, Effect>,
    /// Outputs by action, each with its source, in the order of the text.
    pub outputs: BTreeMap<&'s str, Vec<&'s ExpectedOutput>>,
}

/// Writes out all tests of a suite.
pub(super) fn tests<'s>(scope: Scope<'s>) -> Result<Vec<Test<'s>>, Diagnostics> {
    let mut expansion = Expansion { scope, diagnostics: duplicate_names(scope.suite) };
    let tests: Vec<Test<'s>> =
        scope.suite.tests.iter().flat_map(|table| expansion.table(table).unwrap_or_default()).collect();
    if expansion.diagnostics.is_empty() { Ok(tests) } else { Err(expansion.diagnostics) }
}

fn duplicate_names(suite: &Suite) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut first_by_name: BTreeMap<&str, Span> = BTreeMap::new();
    for table in &suite.tests {
        if let Some(first) = first_by_name.get(table.name.as_str()) {
            let message = format!("another test has the name \"{}\"", table.name.value);
            let label = Label::new(&suite.source, *first).with_note("this one");
            let diagnostic = Diagnostic::error(Code::DuplicateTest, &suite.source, table.name.span, message);
            diagnostics.push(diagnostic.with_related(label));
        } else {
            first_by_name.insert(&table.name, table.name.span);
        }
    }
    diagnostics
}

struct Expansion<'s> {
    scope: Scope<'s>,
    diagnostics: Diagnostics,
}

/// A kind of fixture.
struct Kind<T> {
    what: &'static str,
    /// The field that defines fixtures of the kind.
    field: &'static str,
    /// The file that may.
    file: &'static str,
    map: fn(&Fixtures) -> &BTreeMap<String, T>,
}

const PRINCIPAL: Kind<Principal> =
    Kind { what: "principal", field: "principals", file: "principals", map: |it| &it.principals };
const RESOURCE: Kind<Resource> =
    Kind { what: "resource", field: "resources", file: "resources", map: |it| &it.resources };
const AUX_DATA: Kind<AuxData> =
    Kind { what: "auxiliary data", field: "auxData", file: "auxdata", map: |it| &it.aux_data };
const PRINCIPAL_GROUP: Kind<Group> = Kind {
    what: "principal group",
    field: "principalGroups",
    file: "principals",
    map: |it| &it.principal_groups,
};
const RESOURCE_GROUP: Kind<Group> = Kind {
    what: "resource group",
    field: "resourceGroups",
    file: "resources",
    map: |it| &it.resource_groups,
};

/// Names of fixtures, each once, with the place that brings it in.
type Named<'s> = Vec<(&'s str, Span)>;

/// What is expected, by principal and resource.
type ByPair<'s> = BTreeMap<(&'s str, &'s str), Expected<'s>>;

impl<'s> Expansion<'s> {
    fn error(&mut self, code: Code, span: Span, message: String) {
        self.diagnostics.push(Diagnostic::error(code, &self.scope.suite.source, span, message));
    }

    fn unknown<T: 's>(&mut self, kind: &Kind<T>, name: &str, span: Span) {
        let Kind { what, field, file, map } = kind;
        let message = format!("{what} \"{name}\" is not defined");
        let diagnostic = Diagnostic::error(Code::UnknownFixture, &self.scope.suite.source, span, message);
        let mut diagnostic = suggest(diagnostic, name, self.scope.names(*map));
        diagnostic.hint.get_or_insert_with(|| {
            format!("define it under `{field}`, here or in `{file}.yaml` of a `testdata` directory beside this file")
        });
        self.diagnostics.push(diagnostic);
    }

    /// The tests of a table; none where a name of its input is not defined.
    fn table(&mut self, table: &'s TestTable) -> Option<Vec<Test<'s>>> {
        let principals = self.members(&table.input.principals, &PRINCIPAL_GROUP);
        let resources = self.members(&table.input.resources, &RESOURCE_GROUP);
        let aux_data = self.aux_data(table);
        let mut expected = self.expectations(table, &principals, &resources);
        let principals = self.look_up(&principals, &PRINCIPAL);
        let resources = self.look_up(&resources, &RESOURCE);
        let (principals, resources) = (principals?, resources?);
        let options = table.options.as_ref().or(self.scope.suite.options.as_ref());
        let mut tests = Vec::with_capacity(principals.len() * resources.len());
        for principal in &principals {
            for resource in &resources {
                let expected = expected.remove(&(principal.0, resource.0)).unwrap_or_default();
                let (principal, resource) = (*principal, *resource);
                tests.push(Test { table, principal, resource, aux_data, expected, options });
            }
        }
        Some(tests)
    }

    /// The names, and those of the groups.
    fn members(&mut self, members: &'s Members, groups: &Kind<Group>) -> Named<'s> {
        let mut named: Named<'s> = members.names.iter().map(|name| (name.as_str(), name.span)).collect();
        let mut seen: BTreeSet<&str> = named.iter().map(|(name, _)| *name).collect();
        for group in &members.groups {
            let Some(found) = self.scope.find(group, groups.map) else {
                self.unknown(groups, group, group.span);
                continue;
            };
            let new = found.members.iter().filter(|member| seen.insert(member.as_str()));
            named.extend(new.map(|member| (member.as_str(), group.span)));
        }
        named
    }

    fn look_up<T: 's>(&mut self, named: &Named<'s>, kind: &Kind<T>) -> Option<Vec<(&'s str, &'s T)>> {
        let mut found = Vec::with_capacity(named.len());
        for (name, span) in named {
            match self.scope.find(name, kind.map) {
                Some(fixture) => found.push((*name, fixture)),
                None => self.unknown(kind, name, *span),
            }
        }
        (found.len() == named.len()).then_some(found)
    }

    fn aux_data(&mut self, table: &'s TestTable) -> Option<&'s AuxData> {
        let name = table.input.aux_data.as_ref()?;
        let found = self.scope.find(name, AUX_DATA.map);
        if found.is_none() {
            self.unknown(&AUX_DATA, name, name.span);
        }
        found
    }

    fn expectations(
        &mut self,
        table: &'s TestTable,
        principals: &Named<'s>,
        resources: &Named<'s>,
    ) -> ByPair<'s> {
        let mut by_pair = ByPair::new();
        for expectation in &table.expected {
            self.check_actions(table, expectation);
            let whom = self.members(&expectation.principals, &PRINCIPAL_GROUP);
            let what = self.members(&expectation.resources, &RESOURCE_GROUP);
            self.check_asked(&whom, principals, "principal");
            self.check_asked(&what, resources, "resource");
            for (principal, _) in &whom {
                for (resource, _) in &what {
                    let expected = by_pair.entry((*principal, *resource)).or_default();
                    self.merge(expected, expectation, (principal, resource));
                }
            }
        }
        by_pair
    }

    /// Expectations of actions that the test does not ask for.
    fn check_actions(&mut self, table: &TestTable, expectation: &Expectation) {
        let asked: BTreeSet<&str> = table.input.actions.iter().map(|action| action.as_str()).collect();
        let expected = expectation.actions.iter().map(|(action, _)| action);
        let with_output = expectation.outputs.iter().map(|output| &output.action);
        for action in expected.chain(with_output).filter(|action| !asked.contains(action.as_str())) {
            let message = format!("the action \"{}\" is not in the input of the test", action.value);
            let diagnostic =
                Diagnostic::error(Code::InvalidExpectation, &self.scope.suite.source, action.span, message);
            self.diagnostics.push(suggest(diagnostic, action, asked.iter().copied()));
        }
    }

    /// Expectations of principals or resources that the test does not ask about.
    fn check_asked(&mut self, expected: &Named<'s>, asked: &Named<'s>, what: &str) {
        let asked: BTreeSet<&str> = asked.iter().map(|(name, _)| *name).collect();
        for (name, span) in expected.iter().filter(|(name, _)| !asked.contains(name)) {
            let message = format!("the {what} \"{name}\" is not in the input of the test");
            let diagnostic =
                Diagnostic::error(Code::InvalidExpectation, &self.scope.suite.source, *span, message);
            self.diagnostics.push(suggest(diagnostic, name, asked.iter().copied()));
        }
    }

    /// Adds an expectation to those that the pair has already; they must not contradict each other.
    fn merge(&mut self, expected: &mut Expected<'s>, expectation: &'s Expectation, pair: (&str, &str)) {
        for (action, effect) in &expectation.actions {
            let before = *expected.effects.entry(action).or_insert(*effect);
            if before != *effect {
                self.contradiction(action, &format!("the action \"{}\"", action.value), pair);
            }
        }
        for outputs in &expectation.outputs {
            let entries = expected.outputs.entry(&outputs.action).or_default();
            for entry in &outputs.entries {
                match entries.iter().find(|other| other.src.value == entry.src.value) {
                    None => entries.push(entry),
                    Some(other) if other.val == entry.val => {}
                    Some(_) => {
                        self.contradiction(&entry.src, &format!("the output \"{}\"", entry.src.value), pair);
                    }
                }
            }
        }
    }

    fn contradiction(&mut self, place: &Spanned<String>, what: &str, (principal, resource): (&str, &str)) {
        let message = format!(
            "two expectations disagree on {what} for principal \"{principal}\" and resource \"{resource}\""
        );
        self.error(Code::InvalidExpectation, place.span, message);
    }
}
