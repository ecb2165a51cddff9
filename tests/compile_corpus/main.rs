//! The conformance corpus' compile and index suites: policies with what is wrong with them, or what they are compiled to.
//!
//! The messages are the PDP's own words. Compared are the file, the kind of mistake and the line. Of what policies are
//! compiled to, everything is compared that both sides have; the outline of the compiled table is what we have.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

mod policy_set;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use orthrus::policy::FileKind;
use orthrus::schema::Enforcement;
use orthrus::text::{Code, Diagnostic, Diagnostics, Severity, Source};
use serde_json::Value;
use support::{Archive, Case, corpus, engine_with, files, read_store, run_cases, stem, yaml};

fn main() {
    let mut cases: Vec<Case> = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        for path in files(&corpus.join("compile"), ".yaml") {
            let schemas = corpus.join("schema/fs");
            cases.push((format!("compile/{}", stem(&path)), Box::new(move || compile_case(&path, &schemas))));
        }
        for path in files(&corpus.join("index"), ".yaml") {
            cases.push((format!("index/{}", stem(&path)), Box::new(move || index_case(&yaml::read(&path)))));
        }
    }
    run_cases(cases, "compile.txt")
}

fn render(errors: &Diagnostics) -> String {
    errors.iter().map(Diagnostic::render).collect()
}

// --- compile ------------------------------------------------------------------------------------------

/// What the PDP calls our codes.
const KINDS: &[(Code, &str)] = &[
    (Code::ExpressionSyntax, "invalid expression"),
    (Code::ExpressionType, "invalid expression"),
    (Code::ConstantRedefined, "constant redefined"),
    (Code::CyclicalVariables, "cyclical variable definitions"),
    (Code::ImportNotFound, "import not found"),
    (Code::InvalidName, "invalid name"),
    (Code::InvalidSchema, "invalid schema"),
    (Code::InvalidResourceRule, "invalid resource rule"),
    (Code::MissingAncestor, "missing policy definition"),
    (Code::ScriptsUnsupported, "scripts in conditions are no longer supported"),
    (Code::UndefinedVariable, "undefined variable"),
    (Code::UnknownDerivedRole, "unknown derived role"),
    (Code::VariableRedefined, "variable redefined"),
];

fn compile_case(path: &Path, schemas: &Path) -> Result<(), String> {
    let case = yaml::read(path);
    let archive = Archive::read(Path::new(&format!("{}.input", path.display())));
    let mut sources = archive.sources(&[]);
    let is_schema = |source: &Source| matches!(FileKind::of(source.name()), FileKind::Schema { .. });
    sources.extend(read_store(schemas).into_iter().filter(is_schema));
    let errors = match engine_with(sources, Enforcement::Reject) {
        Ok(engine) => {
            let golden = fs::read_to_string(format!("{}.golden", path.display())).ok();
            let golden = golden.map(|text| serde_json::from_str(&text).unwrap());
            let main = case["mainDef"].as_str().unwrap();
            policy_set::compare_compiled(&engine.outlines(), main, golden, &case["wantVariables"])?;
            Diagnostics::new()
        }
        Err(errors) if case["wantErrors"].is_null() => return Err(render(&errors)),
        Err(errors) => errors,
    };
    let ours: BTreeSet<Finding> =
        errors.iter().filter(|error| error.severity == Severity::Error).map(Finding::ours).collect();
    let theirs: BTreeSet<Finding> =
        case["wantErrors"].as_array().into_iter().flatten().map(Finding::theirs).collect();
    let missing: Vec<_> = theirs.iter().filter(|it| !ours.iter().any(|ours| ours.is_at(it))).collect();
    // The PDP compiles one policy with what it depends on, we compile all of them.
    let in_question = |file: &str| case["mainDef"] == file || theirs.iter().any(|it| it.file == file);
    let extra: Vec<_> = ours
        .iter()
        .filter(|ours| in_question(&ours.file) && !theirs.iter().any(|it| ours.is_at(it)))
        .filter(|ours| !is_reported_elsewhere(ours, &theirs))
        .collect();
    if missing.is_empty() && extra.is_empty() {
        return Ok(());
    }
    Err(format!("missing {missing:#?}\nextra {extra:#?}\n{}", render(&errors)))
}

/// The PDP names an unknown derived role once, not at every rule; and it looks for ancestors before it compiles, unless
/// the case is about them.
fn is_reported_elsewhere(ours: &Finding, theirs: &BTreeSet<Finding>) -> bool {
    let of_kind = |kind| theirs.iter().any(|it| it.kind == kind);
    match &*ours.kind {
        "unknown derived role" => of_kind("unknown derived role"),
        "missing policy definition" => !theirs.is_empty() && !of_kind("missing policy definition"),
        _ => false,
    }
}

/// A mistake, by what is compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    kind: String,
    line: Option<u64>,
}

impl Finding {
    fn ours(error: &Diagnostic) -> Self {
        let kind = KINDS.iter().find(|(code, _)| *code == error.code).map_or(error.code.as_str(), |it| it.1);
        // Of a broken schema, theirs is the place that names it, ours that of the mistake, and theirs is related.
        let named = error.related.first().filter(|_| error.code == Code::InvalidSchema);
        let label = named.or(error.label.as_ref());
        Self {
            file: label.map(|label| label.file.clone()).unwrap_or_default(),
            kind: kind.to_owned(),
            line: label.map(|label| label.start.line.into()),
        }
    }

    fn theirs(error: &Value) -> Self {
        let kind = error["error"].as_str().unwrap().trim();
        Self {
            file: error["file"].as_str().unwrap().to_owned(),
            kind: if kind.ends_with("name") { "invalid name" } else { kind }.to_owned(),
            line: error["position"]["line"].as_u64(),
        }
    }

    /// Whether ours is theirs. Not all of theirs have a place. Of an expression in a block, theirs is the line of its
    /// key, ours that of the mistake.
    fn is_at(&self, theirs: &Self) -> bool {
        let follows = |ours, line| ours == line || (self.kind == "invalid expression" && ours == line + 1);
        let same_line = theirs.line.is_none_or(|line| self.line.is_some_and(|ours| follows(ours, line)));
        (&self.file, &self.kind) == (&theirs.file, &theirs.kind) && same_line
    }
}

// --- index --------------------------------------------------------------------------------------------

fn index_case(case: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let files = case["files"].as_object().unwrap();
    let sources = files.iter().map(|(name, content)| Source::new(name, text(content))).collect();
    let errors = match engine_with(sources, Enforcement::Reject) {
        Ok(engine) => {
            policy_set::compare_units(&engine.outlines(), &case["wantCompilationUnits"])?;
            Diagnostics::new()
        }
        Err(errors) => errors,
    };
    let wanted = &case["wantErrList"];
    let list = |name: &str| wanted[name].as_array().cloned().unwrap_or_default().into_iter();
    let mut theirs: Vec<String> = Vec::new();
    theirs.extend(list("loadFailures").map(|it| format!("cannot load {}", text(&it["file"]))));
    theirs.extend(
        list("duplicateDefs").map(|it| format!("duplicate {} {}", text(&it["file"]), text(&it["policy"]))),
    );
    theirs.extend(list("missingImports").map(|it| {
        let position = format!("{}:{}", it["position"]["line"], it["position"]["column"]);
        format!("import {}:{position} {}", text(&it["importingFile"]), text(&it["importName"]))
    }));
    theirs.extend(list("missingScopeDetails").flat_map(|it| {
        let missing = text(&it["missingPolicy"]);
        let descendants = it["descendants"].as_array().cloned().unwrap_or_default();
        descendants.into_iter().map(move |of| format!("{} needs {missing}", text(&of))).collect::<Vec<_>>()
    }));
    let theirs: BTreeSet<String> = theirs.into_iter().collect();
    // The PDP names a file that cannot be loaded once, not for every mistake in it.
    let ours: BTreeSet<String> = errors.iter().filter_map(finding).collect();
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("wanted {theirs:#?}\ngot {ours:#?}\n{}", render(&errors)))
    }
}

/// An error in the words above. Disabled policies are no mistake to us, nor is a store without any policy to them.
fn finding(error: &Diagnostic) -> Option<String> {
    let quoted: Vec<&str> = error.message.split('`').skip(1).step_by(2).collect();
    let label = error.label.as_ref();
    let file = label.map_or("", |label| &label.file);
    Some(match error.code {
        Code::EmptyStore => return None,
        Code::DuplicatePolicy => format!("duplicate {file} {}", quoted[0]),
        Code::ImportNotFound => format!("import {file}:{} {}", label?.start, quoted[0]),
        Code::MissingAncestor => format!("{} needs {}", quoted[0], quoted[1]),
        Code::MisplacedSchemas => format!("cannot load {}", file.rsplit_once('/')?.0),
        // What the file holds does not parse, or is not complete.
        code if code < Code::DuplicatePolicy => format!("cannot load {file}"),
        // Found by compiling, which the index does not do.
        _ => return None,
    })
}
