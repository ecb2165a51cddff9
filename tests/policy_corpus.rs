//! Cerbos' own parser and policy cases: one test for each file.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::policy::{self, Body, Budget, Definition, FileKind, Policy};
use orthrus::text::{Code, Diagnostic, Diagnostics, Source};
use serde_json::Value;

type Suite = fn(&Path) -> Vec<Trial>;

fn main() {
    let suites: [(&str, Suite); 4] = [
        ("cerbos/parser", parser_cases),
        ("cerbos/policy_formats", policy_formats),
        ("cerbos/store", store_files),
        ("cerbos/index", index_files),
    ];
    let mut trials = Vec::new();
    for (suite, cases) in suites {
        if let Some(directory) = support::corpus(suite) {
            trials.extend(cases(&directory));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

// --- cerbos/parser -----------------------------------------------------------------------------------

/// Places where the PDP points elsewhere: (case, its line:column, ours, why).
const OTHER_PLACES: &[(&str, &str, &str, &str)] = &[(
    "case_004",
    "7:9",
    "7:5",
    "the PDP points at the first colon of a block mapping that should be a string, we at its start",
)];

/// Errors that we do not report: (case, line:column, why).
const NOT_REPORTED: &[(&str, &str, &str)] = &[(
    "case_008",
    "23:23",
    "our parser stops at the first syntax error, the PDP looks for quotes beforehand",
)];

fn parser_cases(directory: &Path) -> Vec<Trial> {
    files(directory)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(format!("cerbos/parser/{name}"), move || parser_case(&name, &path))
        })
        .collect()
}

fn parser_case(name: &str, path: &Path) -> Result<(), Failed> {
    let case: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let source = Source::new(name, fs::read_to_string(path.with_extension("json.input"))?);
    let documents = match policy::parse_stream(&source, &Budget::default()) {
        Ok(documents) => documents,
        Err(errors) => return same("errors", &places(&errors), &expected_places(name, &case["wantErrors"])),
    };
    let want = case["want"].as_array().cloned().unwrap_or_default();
    same("number of documents", &documents.len(), &want.len())?;
    for (document, want) in documents.iter().zip(&want) {
        let expected = expected_places(name, &want["errors"]);
        match document {
            Ok(policy) => {
                same("errors", &Vec::new(), &expected)?;
                let message = Source::new(name, want["message"].to_string());
                let message =
                    policy::parse(&message, &Budget::default()).map_err(|errors| report(&errors))?;
                same("policy", &without_places(policy)?, &without_places(&message)?)?;
            }
            Err(errors) => same("errors", &places(errors), &expected)?,
        }
    }
    Ok(())
}

/// Kind and place of each error, as `parse 4:1`.
fn places(errors: &Diagnostics) -> Vec<String> {
    let place = |error: &Diagnostic| {
        let is_validation = matches!(error.code, Code::InvalidValue | Code::MissingField | Code::PolicyType);
        let kind = if is_validation { "validation" } else { "parse" };
        let start = error.label.as_ref().map(|label| label.start.to_string());
        format!("{kind} {}", start.unwrap_or_default())
    };
    let mut places: Vec<_> = errors.iter().map(place).collect();
    places.sort();
    places
}

fn expected_places(name: &str, errors: &Value) -> Vec<String> {
    let mut places: Vec<_> = errors
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| {
            let position = format!("{}:{}", error["position"]["line"], error["position"]["column"]);
            if NOT_REPORTED.iter().any(|known| (known.0, known.1) == (name, &*position)) {
                return None;
            }
            let other = OTHER_PLACES.iter().find(|known| (known.0, known.1) == (name, &*position));
            let position = other.map_or(&*position, |known| known.2);
            let kind = if error["kind"] == "KIND_VALIDATION_ERROR" { "validation" } else { "parse" };
            Some(format!("{kind} {position}"))
        })
        .collect();
    places.sort();
    places
}

// --- cerbos/policy_formats ----------------------------------------------------------------------------

fn policy_formats(directory: &Path) -> Vec<Trial> {
    files(directory)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(format!("cerbos/policy_formats/{name}"), move || policy_format(&name, &path))
        })
        .collect()
}

fn policy_format(name: &str, path: &Path) -> Result<(), Failed> {
    if name == "multiple_policies" {
        let errors = read(path, name).err().ok_or("several policies in one file must be an error")?;
        let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
        return same("codes", &codes, &vec![Code::MultipleDocuments]);
    }
    let yaml = read(path, name).map_err(|errors| report(&errors))?;
    let json = path.with_extension("json");
    if json.is_file() {
        let json = read(&json, name).map_err(|errors| report(&errors))?;
        same("policy", &without_places(&yaml)?, &without_places(&json)?)?;
    }
    Ok(())
}

// --- cerbos/store -------------------------------------------------------------------------------------

fn store_files(directory: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for path in files(directory) {
        let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if FileKind::of(&name) == FileKind::Policy {
            trials.push(Trial::test(format!("cerbos/store/{name}"), move || {
                read(&path, &name).map(drop).map_err(|errors| report(&errors))
            }));
        }
    }
    trials
}

// --- cerbos/index -------------------------------------------------------------------------------------

/// The cases of the index that are about single files: which are policies, and which cannot be loaded.
fn index_files(directory: &Path) -> Vec<Trial> {
    files(directory)
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(format!("cerbos/index/{name}"), move || index_case(&path))
        })
        .collect()
}

fn index_case(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let source = Source::new("case", text);
    let documents = orthrus::yaml::parse(&source, &Budget::default()).map_err(|errors| report(&errors))?;
    let case = documents.first().map(json).ok_or("the case is empty")?;
    let mut failures = Vec::new();
    for (file, text) in case["files"].as_object().into_iter().flatten() {
        match FileKind::of(file) {
            FileKind::Policy => {
                let source = Source::new(file, text.as_str().unwrap_or_default());
                if policy::parse_file(&source, &Budget::default()).is_err() {
                    failures.push(file.clone());
                }
            }
            FileKind::MisplacedSchema => {
                failures.extend(file.rsplit_once('/').map(|(path, _)| path.to_owned()));
            }
            _ => {}
        }
    }
    let expected = case["wantErrList"]["loadFailures"].as_array().into_iter().flatten();
    let mut expected: Vec<_> =
        expected.filter_map(|failure| failure["file"].as_str()).map(str::to_owned).collect();
    expected.sort();
    failures.sort();
    same("files that cannot be loaded", &failures, &expected)
}

fn json(node: &orthrus::yaml::Node<'_>) -> Value {
    use orthrus::yaml::Kind;
    match &node.kind {
        Kind::Scalar(scalar) => Value::String(scalar.text.to_string()),
        Kind::Sequence(nodes) => nodes.iter().map(json).collect(),
        Kind::Mapping(entries) => {
            let key = |node: &orthrus::yaml::Node<'_>| json(node).as_str().unwrap_or_default().to_owned();
            entries.iter().map(|entry| (key(&entry.key), json(&entry.value))).collect()
        }
    }
}

// --- helpers ------------------------------------------------------------------------------------------

/// All files below a directory, in order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn read(path: &Path, name: &str) -> Result<Policy, Diagnostics> {
    let text = fs::read_to_string(path).unwrap_or_default();
    policy::parse(&Source::new(name, text), &Budget::default())
}

fn report(errors: &Diagnostics) -> Failed {
    errors.iter().map(Diagnostic::render).collect::<String>().into()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, expected: &T) -> Result<(), Failed> {
    if ours == expected {
        return Ok(());
    }
    Err(format!("{what} differ\n    ours: {ours:?}\nexpected: {expected:?}").into())
}

/// What a policy says, without where it says it: its debug form, definitions sorted, spans and styles cut.
fn without_places(policy: &Policy) -> Result<String, Failed> {
    let mut policy = policy.clone();
    sort(&mut policy.variables);
    match &mut policy.body {
        Body::Resource(body) => {
            sort(&mut body.variables.local);
            sort(&mut body.constants.local);
        }
        Body::Principal(body) => {
            sort(&mut body.variables.local);
            sort(&mut body.constants.local);
        }
        Body::DerivedRoles(body) => {
            sort(&mut body.variables.local);
            sort(&mut body.constants.local);
        }
        Body::Role(body) => {
            sort(&mut body.variables.local);
            sort(&mut body.constants.local);
        }
        Body::ExportVariables(body) => sort(&mut body.definitions),
        Body::ExportConstants(body) => sort(&mut body.definitions),
    }
    let place = regex::Regex::new(r"Span \{ start: \d+, end: \d+ \}|style: \w+")?;
    Ok(place.replace_all(&format!("{policy:?}"), "").into_owned())
}

fn sort<T>(definitions: &mut [Definition<T>]) {
    definitions.sort_by(|a, b| a.name.value.cmp(&b.name.value));
}
