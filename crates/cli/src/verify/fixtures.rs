//! Where a suite finds what its tests name: in itself, or else in the `testdata` directory beside it.

use std::collections::{BTreeMap, BTreeSet};

use orthrus::text::{Code, Diagnostic, Diagnostics, Source, nearest};

use super::decode;
use super::suite::{Fixtures, Group, Suite};

const DIRECTORY: &str = "testdata";
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
const AUX_DATA_NAMES: [&str; 3] = ["auxdata", "auxData", "aux_data"];

/// The fixture files of a policy directory, each directory of them read at most once.
pub(super) struct FixtureFiles<'s> {
    files: BTreeMap<&'s str, &'s Source>,
    read: BTreeMap<String, Result<Fixtures, Diagnostics>>,
}

impl<'s> FixtureFiles<'s> {
    /// `sources` may hold other files as well.
    pub(super) fn new(sources: &'s [Source]) -> Self {
        let files = sources.iter().map(|source| (source.name(), source)).collect();
        Self { files, read: BTreeMap::new() }
    }

    /// The fixtures beside a suite, none of which has to exist.
    pub(super) fn beside(&mut self, suite: &str) -> Result<&Fixtures, &Diagnostics> {
        let directory = match suite.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/{DIRECTORY}"),
            None => DIRECTORY.to_owned(),
        };
        let files = &self.files;
        self.read.entry(directory).or_insert_with_key(|directory| read(files, directory)).as_ref()
    }
}

fn read(files: &BTreeMap<&str, &Source>, directory: &str) -> Result<Fixtures, Diagnostics> {
    let find = |name: &str| {
        let path = |extension| format!("{directory}/{name}.{extension}");
        EXTENSIONS.iter().find_map(|extension| files.get(path(extension).as_str()).copied())
    };
    let mut fixtures = Fixtures::default();
    let mut diagnostics = Diagnostics::new();
    if let Some(source) = find("principals") {
        match decode::principals(source) {
            Ok((principals, groups)) => {
                diagnostics.extend(unknown_members(source, "principal", &groups, principals.keys()));
                (fixtures.principals, fixtures.principal_groups) = (principals, groups);
            }
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if let Some(source) = find("resources") {
        match decode::resources(source) {
            Ok((resources, groups)) => {
                diagnostics.extend(unknown_members(source, "resource", &groups, resources.keys()));
                (fixtures.resources, fixtures.resource_groups) = (resources, groups);
            }
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if let Some(source) = AUX_DATA_NAMES.iter().find_map(|name| find(name)) {
        match decode::aux_data(source) {
            Ok(aux_data) => fixtures.aux_data = aux_data,
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if diagnostics.is_empty() { Ok(fixtures) } else { Err(diagnostics) }
}

/// Members of groups that no fixture defines.
fn unknown_members<'n>(
    source: &Source,
    what: &str,
    groups: &BTreeMap<String, Group>,
    names: impl Iterator<Item = &'n String>,
) -> Vec<Diagnostic> {
    let names: BTreeSet<&str> = names.map(String::as_str).collect();
    let members = groups.iter().flat_map(|(group, it)| it.members.iter().map(move |member| (group, member)));
    let unknown = members.filter(|(_, member)| !names.contains(member.as_str()));
    unknown
        .map(|(group, member)| {
            let message = format!("{what} \"{}\" of the group \"{group}\" is not defined", member.value);
            let diagnostic = Diagnostic::error(Code::UnknownFixture, source, member.span, message);
            suggest(diagnostic, member, names.iter().copied())
        })
        .collect()
}

/// Adds the name that was perhaps meant.
pub(super) fn suggest<'n>(
    diagnostic: Diagnostic,
    name: &str,
    known: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    match nearest(name, known) {
        Some(meant) => diagnostic.with_hint(format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

/// The fixtures that the tests of one suite see: its own before those beside it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) suite: &'s Suite,
    pub(super) beside: &'s Fixtures,
}

impl<'s> Scope<'s> {
    pub(super) fn find<T: 's>(
        &self,
        name: &str,
        map: fn(&Fixtures) -> &BTreeMap<String, T>,
    ) -> Option<&'s T> {
        map(&self.suite.fixtures).get(name).or_else(|| map(self.beside).get(name))
    }

    /// All names of a kind of fixture.
    pub(super) fn names<T: 's>(
        &self,
        map: fn(&Fixtures) -> &BTreeMap<String, T>,
    ) -> impl Iterator<Item = &'s str> + Clone + use<'s, T> {
        map(&self.suite.fixtures).keys().chain(map(self.beside).keys()).map(String::as_str)
    }

    /// What is wrong with the groups of the suite.
    pub(super) fn check_groups(&self) -> Diagnostics {
        let Suite { source, fixtures, .. } = self.suite;
        let mut diagnostics = Diagnostics::new();
        let principals = fixtures.principals.keys().chain(self.beside.principals.keys());
        diagnostics.extend(unknown_members(source, "principal", &fixtures.principal_groups, principals));
        let resources = fixtures.resources.keys().chain(self.beside.resources.keys());
        diagnostics.extend(unknown_members(source, "resource", &fixtures.resource_groups, resources));
        diagnostics
    }
}
