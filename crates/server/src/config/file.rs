//! Reading `.cerbos.yaml`: every mistake at once, each where it stands.

use std::collections::BTreeMap;

use orthrus::text::{Code, Diagnostic, Diagnostics, Label, Severity, Source, Span as Place, nearest};
use orthrus::yaml::{self, Budget, Kind, Node, Resolved, Scalar, Style};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::keys::{Found, Use, find};
use super::substitute::{Unsubstituted, substitute};
use super::{AuditConfig, Listening};

/// All of `.cerbos.yaml` that counts here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigFile {
    /// Sockets and limits.
    pub server: Listening,
    /// The audit log.
    pub audit: AuditConfig,
    /// Where policies come from.
    pub storage: Storage,
    /// The options of the engine, as hosts have them.
    pub engine: Map<String, Value>,
    /// `none`, `warn` or `reject`.
    pub schema: Schema,
    /// `auxData.jwt`, which the host checks: it fetches the keys.
    pub aux_data: Map<String, Value>,
    /// `gateway`: its identities are checked by the host, for they name keys as well.
    pub gateway: Option<Value>,
}

/// `schema`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Schema {
    /// `none`, `warn` or `reject`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<String>,
}

/// `storage`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Storage {
    /// `disk` or `bundle`; may be left out where one alone is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// A directory or archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Value>,
    /// A bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Value>,
}

/// What a file says, and where.
#[derive(Debug)]
pub struct Config {
    /// What it says.
    pub file: ConfigFile,
    /// `FILE:LINE:COLUMN` of each key and element, by path.
    pub places: BTreeMap<String, String>,
    /// Keys that count for nothing here.
    pub warnings: Diagnostics,
}

/// Reads a configuration. `variable` is the environment; `overrides` are paths and values, as `--set` has them.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_config(
    source: &Source,
    overrides: &[(String, String)],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Diagnostics> {
    let mut reader = Reader { source, variable, spans: BTreeMap::new(), found: Diagnostics::new() };
    let mut root = Value::Object(Map::new());
    match yaml::parse(source, &Budget::default())?.as_slice() {
        [] => {}
        [node] if matches!(&node.kind, Kind::Scalar(scalar) if scalar.resolve() == Resolved::Null) => {}
        [node] if !matches!(node.kind, Kind::Mapping(_)) => {
            let message = "a configuration must be a mapping, with keys such as `server` and `storage`";
            reader.found.push(Diagnostic::error(Code::WrongType, source, node.span, message));
        }
        [node] => root = reader.value(node, &mut Vec::new()),
        [_, second, ..] => {
            let message = "a configuration is one document";
            reader.found.push(Diagnostic::error(Code::MultipleDocuments, source, second.span, message));
        }
    }
    for (path, text) in overrides {
        reader.set(&mut root, path, text);
    }
    if root.pointer("/server/adminAPI/enabled") == Some(&Value::Bool(true)) {
        let message = "there is no Admin API: policies are changed where they are kept";
        reader.report("server.adminAPI.enabled", Code::InvalidValue, message, None);
    }
    if let Some(server) = root.get_mut("server").and_then(Value::as_object_mut) {
        server.remove("adminAPI");
    }
    let file = if reader.found.has_errors() { None } else { reader.typed(root) };
    match file {
        Some(file) => {
            let place = |(path, span): (String, Place)| {
                let at = source.position(span.start);
                (path, format!("{}:{}:{}", source.name(), at.line, at.column))
            };
            let places = reader.spans.into_iter().map(place).collect();
            Ok(Config { file, places, warnings: reader.found })
        }
        None => Err(reader.found.sorted()),
    }
}

struct Reader<'a> {
    source: &'a Source,
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// Where each key and element stands.
    spans: BTreeMap<String, Place>,
    found: Diagnostics,
}

impl Reader<'_> {
    /// What a node says, without what does not count.
    fn value(&mut self, node: &Node<'_>, path: &mut Vec<String>) -> Value {
        match &node.kind {
            Kind::Scalar(scalar) => self.scalar(scalar, node.span, path),
            Kind::Sequence(_) if is_object(path) => {
                let message = format!("`{}` must be a mapping, got a list", path.join("."));
                self.found.push(Diagnostic::error(Code::WrongType, self.source, node.span, message));
                Value::Null
            }
            Kind::Sequence(elements) => {
                let read = |(index, element): (usize, &Node<'_>)| {
                    path.push(index.to_string());
                    self.spans.insert(path.join("."), element.span);
                    let value = self.value(element, path);
                    path.pop();
                    value
                };
                Value::Array(elements.iter().enumerate().map(read).collect())
            }
            Kind::Mapping(entries) => {
                let mut fields = Map::new();
                for entry in entries {
                    let Kind::Scalar(key) = &entry.key.kind else {
                        let message = "a key must be a text";
                        self.found.push(Diagnostic::error(
                            Code::WrongType,
                            self.source,
                            entry.key.span,
                            message,
                        ));
                        continue;
                    };
                    path.push(key.text.clone().into_owned());
                    self.spans.insert(path.join("."), entry.key.span);
                    if self.counts(path, entry.key.span) {
                        let value = self.value(&entry.value, path);
                        if !value.is_null() {
                            fields.insert(key.text.clone().into_owned(), value);
                        }
                    }
                    path.pop();
                }
                Value::Object(fields)
            }
        }
    }

    /// Whether a key counts here; says so where it does not.
    fn counts(&mut self, path: &[String], span: Place) -> bool {
        if is_in_tree(path) {
            return true;
        }
        let Some(diagnostic) = self.uncounted(path) else { return true };
        self.found.push(Diagnostic { label: Some(Label::new(self.source, span)), ..diagnostic });
        false
    }

    /// Why a key does not count, without a place; none where it does.
    fn uncounted(&self, path: &[String]) -> Option<Diagnostic> {
        let name = path.join(".");
        let (severity, code, message, hint) = match find(path) {
            Found::Branch | Found::Key(Use::Text | Use::Value | Use::Tree) => return None,
            Found::Key(Use::Ignored(why)) => (
                Severity::Warning,
                Code::UnknownField,
                format!("`{name}` counts for nothing here: {why}"),
                None,
            ),
            Found::Key(Use::Unsupported(instead)) => {
                let message = format!("`{name}` is not supported");
                (Severity::Error, Code::UnknownField, message, Some(instead.to_owned()))
            }
            Found::Unknown(names) => {
                let last = path.last().map_or("", String::as_str);
                let hint = nearest(last, names.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                (Severity::Error, Code::UnknownField, format!("there is no key `{name}`"), hint)
            }
        };
        Some(Diagnostic { severity, hint, ..Diagnostic::unplaced(code, message) })
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, span: Place, path: &[String]) -> Value {
        let substituted = match substitute(&scalar.text, self.variable) {
            Ok(substituted) => substituted,
            Err(error) => {
                let message = match error {
                    Unsubstituted::Unset(name) => {
                        format!(
                            "the environment variable `{name}` is not set, and has no default: write `${{{name}:DEFAULT}}`"
                        )
                    }
                    Unsubstituted::Unclosed => "`${` without `}`; write `$$` for a dollar".to_owned(),
                };
                self.found.push(Diagnostic::error(Code::InvalidValue, self.source, span, message));
                return Value::Null;
            }
        };
        let text = substituted.as_deref().unwrap_or(&scalar.text);
        // What the environment puts in place of a plain scalar is typed as if it stood there.
        let typed = Scalar { text: text.into(), style: scalar.style };
        typed_scalar(&typed, is_text(path))
    }

    fn set(&mut self, root: &mut Value, path: &str, text: &str) {
        let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
        match find(&steps) {
            _ if is_in_tree(&steps) => {}
            Found::Key(Use::Text | Use::Value) => {}
            Found::Branch | Found::Key(Use::Tree) => {
                let message =
                    format!("--set: `{path}` holds more than one value: write it into the configuration");
                self.found.push(Diagnostic::unplaced(Code::WrongType, message));
                return;
            }
            Found::Key(Use::Ignored(_) | Use::Unsupported(_)) | Found::Unknown(_) => {
                if let Some(mut diagnostic) = self.uncounted(&steps) {
                    diagnostic.message = format!("--set: {}", diagnostic.message);
                    self.found.push(diagnostic);
                }
                return;
            }
        }
        let is_text = is_text(&steps);
        let style = if text.is_empty() && is_text { Style::DoubleQuoted } else { Style::Plain };
        let mut value = typed_scalar(&Scalar { text: text.into(), style }, is_text);
        if value.is_null() {
            return;
        }
        for step in steps.iter().rev() {
            let mut object = Map::new();
            object.insert(step.clone(), value);
            value = Value::Object(object);
        }
        merge(root, value);
    }

    fn typed(&mut self, root: Value) -> Option<ConfigFile> {
        match serde_path_to_error::deserialize(root) {
            Ok(file) => Some(file),
            Err(error) => {
                let path = error.path().to_string().replace('[', ".").replace(']', "");
                self.report(
                    &path,
                    Code::WrongType,
                    &format!("`{path}`: {}", plain(&error.inner().to_string())),
                    None,
                );
                None
            }
        }
    }

    fn report(&mut self, path: &str, code: Code, message: &str, hint: Option<String>) {
        let mut diagnostic = match self.spans.get(path) {
            Some(span) => Diagnostic::error(code, self.source, *span, message),
            None => Diagnostic::unplaced(code, message),
        };
        diagnostic.hint = hint;
        self.found.push(diagnostic);
    }
}

/// A message of `serde` without the names of Rust, and without places in a JSON that nobody sees.
#[must_use]
pub fn plain(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let mut plain = message.to_owned();
    for (name, words) in [
        ("struct ", "an object of "),
        ("usize", "a number"),
        ("u64", "a number"),
        ("u32", "a number"),
        ("f64", "a number"),
    ] {
        plain = plain.replace(&format!("expected {name}"), &format!("expected {words}"));
    }
    plain
}

fn is_text(path: &[String]) -> bool {
    matches!(find(path), Found::Key(Use::Text))
}

/// Whether it is below a key whose values others check.
fn is_in_tree(path: &[String]) -> bool {
    (1..path.len()).any(|end| matches!(find(&path[..end]), Found::Key(Use::Tree)))
}

/// Whether keys are below it, and no elements.
fn is_object(path: &[String]) -> bool {
    let element = [path, &["0".to_owned()]].concat();
    matches!(find(path), Found::Branch) && matches!(find(&element), Found::Unknown(_))
}

fn typed_scalar(scalar: &Scalar<'_>, text: bool) -> Value {
    match scalar.resolve() {
        Resolved::Null => Value::Null,
        _ if text => Value::from(scalar.text.as_ref()),
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Integer(value) => match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            _ => Value::from(scalar.text.as_ref()),
        },
        Resolved::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Resolved::NonFinite | Resolved::String => Value::from(scalar.text.as_ref()),
    }
}

/// Puts what `from` says over what `into` says.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
