//! What the corpus tests share: where the corpora are, and how their values are written.

#[path = "../support/yaml.rs"]
mod yaml;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bumpalo::Bump;
use orthrus::cel::{Const, Duration, Map, Timestamp, Type, Value, ValueSeed};
use serde::de::DeserializeSeed;
use serde_json::Value as Json;

/// The folder of the corpora.
pub(crate) struct Corpus(PathBuf);

impl Corpus {
    /// `ORTHRUS_CONFORMANCE`, or `../shared/conformance` beside the workspace.
    pub(crate) fn locate() -> Option<Self> {
        let root = match std::env::var_os("ORTHRUS_CONFORMANCE") {
            Some(root) => PathBuf::from(root),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"),
        };
        root.is_dir().then_some(Self(root))
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }
}

/// Without the corpora there is nothing to test, which only a continuous integration must not accept.
pub(crate) fn missing_corpus() -> ExitCode {
    println!("SKIPPED: no conformance corpus (set ORTHRUS_CONFORMANCE)");
    if std::env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn files(folder: &Path, extension: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The JSON files of a folder by name, without the extension.
pub(crate) fn json_files(folder: &Path) -> Vec<(String, Json)> {
    let parse = |(name, text): (String, String)| (name, serde_json::from_str(&text).unwrap());
    files(folder, "json").into_iter().map(parse).collect()
}

/// The YAML files of a folder by name, without the extension.
pub(crate) fn yaml_files(folder: &Path) -> Vec<(String, Json)> {
    let read = |(name, _)| {
        let json = yaml::read(&folder.join(format!("{name}.yaml")));
        (name, json)
    };
    files(folder, "yaml").into_iter().map(read).collect()
}

/// Attributes from JSON.
pub(crate) fn attributes<'a>(arena: &'a Bump, json: &Json) -> Map<'a> {
    let text: &str = arena.alloc_str(&json.to_string());
    match ValueSeed::new(arena).deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap() {
        Value::Map(map) => map,
        _ => Map::EMPTY,
    }
}

fn only_entry(json: &Json) -> Option<(&str, &Json)> {
    json.as_object()?.iter().next().map(|(kind, value)| (kind.as_str(), value))
}

fn double(json: &Json) -> Option<f64> {
    match json.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(text) => text.parse().ok(),
        None => json.as_f64(),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            .iter()
            .position(|known| *known == byte)
    };
    let bits: Vec<u8> = text
        .bytes()
        .filter_map(digit)
        .flat_map(|digit| (0..6).rev().map(move |bit| u8::from(digit >> bit & 1 == 1)))
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// A value of the corpus as a constant; `None` where the corpus says "error".
pub(crate) fn constant(json: &Json) -> Option<Const> {
    let (kind, value) = only_entry(json)?;
    let text = value.as_str().unwrap_or_default();
    Some(match kind {
        "null" => Const::Null,
        "bool" => Const::Bool(value.as_bool()?),
        "int" => Const::Int(text.parse().ok()?),
        "uint" => Const::UInt(text.parse().ok()?),
        "double" => Const::Double(double(value)?),
        "string" => Const::string(text),
        "bytes" => Const::Bytes(base64(text).into()),
        "type" => Const::Type(text.into()),
        "timestamp" => Const::Timestamp(Timestamp::parse(text).ok()?),
        "duration" => Const::Duration(Duration::parse(text)?),
        "list" => Const::list(value.as_array()?.iter().map(constant).collect::<Option<_>>()?),
        "map" => {
            let entry = |entry: &Json| Some((constant(&entry[0])?, constant(&entry[1])?));
            Const::map(value.as_array()?.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Whether a value is what the corpus expects, kind by kind; NaN is NaN here. No expectation is `true`.
pub(crate) fn matches(expected: &Json, value: Value<'_>) -> bool {
    if expected.is_null() {
        return matches!(value, Value::Bool(true));
    }
    match constant(expected) {
        Some(expected) => same(expected.value(), value),
        None => false,
    }
}

fn same(expected: Value<'_>, value: Value<'_>) -> bool {
    match (expected, value) {
        (Value::Double(a), Value::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.find(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a.type_name() == b.type_name() && a.equals(b),
    }
}

/// A static type of the corpus.
pub(crate) fn static_type(json: &Json) -> Option<Type> {
    if let Some(name) = json.as_str() {
        return Some(match name {
            "dyn" => Type::Dyn,
            "null" => Type::Null,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::UInt,
            "double" => Type::Double,
            "string" => Type::String,
            "bytes" => Type::Bytes,
            "timestamp" => Type::Timestamp,
            "duration" => Type::Duration,
            _ => return None,
        });
    }
    let (kind, value) = only_entry(json)?;
    Some(match kind {
        "list" => Type::list(static_type(value)?),
        "map" => Type::map(static_type(&value[0])?, static_type(&value[1])?),
        "abstract" if value["name"] == "optional_type" => Type::optional(static_type(&value["params"][0])?),
        _ => return None,
    })
}
