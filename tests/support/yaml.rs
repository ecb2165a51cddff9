//! Case files: protojson written as YAML.

use orthrus::policy::Budget;
use orthrus::text::Source;
use orthrus::yaml::{self, Kind, Node, Resolved};
use serde_json::Value;

/// The one document of a case file, as JSON.
pub(crate) fn read(path: &std::path::Path) -> Value {
    let source = Source::new(path.to_string_lossy(), std::fs::read_to_string(path).unwrap());
    let documents = yaml::parse(&source, &Budget::default()).unwrap();
    to_json(documents.first().unwrap())
}

fn to_json(node: &Node<'_>) -> Value {
    match &node.kind {
        Kind::Sequence(elements) => elements.iter().map(to_json).collect(),
        Kind::Mapping(entries) => {
            entries.iter().map(|entry| (text(&entry.key), to_json(&entry.value))).collect()
        }
        Kind::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Integer(value) => serde_json::Number::from_i128(value).unwrap().into(),
            Resolved::Float(value) => value.into(),
            Resolved::NonFinite | Resolved::String => scalar.text.as_ref().into(),
        },
    }
}

fn text(key: &Node<'_>) -> String {
    match &key.kind {
        Kind::Scalar(scalar) => scalar.text.clone().into_owned(),
        Kind::Sequence(_) | Kind::Mapping(_) => panic!("a key that is no scalar"),
    }
}
