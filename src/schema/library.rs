//! The schema files of a policy directory.

use std::collections::BTreeMap;

use super::draft::{Draft, LATEST};
use super::json::{self, Node};
use crate::text::{Code, Diagnostic, Source};

/// The texts below `_schemas`, read as JSON.
#[derive(Debug, Default)]
pub struct Library {
    /// By the path below `_schemas`. What is no schema is known by what is wrong with it.
    documents: BTreeMap<String, Result<Document, Box<Diagnostic>>>,
}

#[derive(Debug)]
pub(super) struct Document {
    pub(super) source: Source,
    pub(super) root: Node,
    pub(super) draft: Draft,
}

impl Library {
    /// Reads schemas, each with its path below `_schemas`. What is wrong with one is told when it is used.
    pub fn new(sources: impl IntoIterator<Item = (String, Source)>) -> Self {
        Self { documents: sources.into_iter().map(|(path, source)| (path, read(source))).collect() }
    }

    pub(super) fn get(&self, path: &str) -> Option<(&str, &Result<Document, Box<Diagnostic>>)> {
        self.documents.get_key_value(path).map(|(path, document)| (path.as_str(), document))
    }

    /// The paths, in their order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }
}

fn read(source: Source) -> Result<Document, Box<Diagnostic>> {
    let root = json::parse(&source)?;
    let Some(named) = root.get("$schema") else { return Ok(Document { source, root, draft: LATEST }) };
    match named.as_str().and_then(Draft::of) {
        Some(draft) => Ok(Document { source, root, draft }),
        None => {
            let message = match named.as_str() {
                Some(url) => format!("`{url}` is not a dialect of JSON Schema that is known here"),
                None => format!("`$schema` must be a string, not {}", named.type_name()),
            };
            let diagnostic = Diagnostic::error(Code::InvalidSchema, &source, named.span, message);
            let hint = "write `https://json-schema.org/draft/2020-12/schema`, or leave `$schema` out";
            Err(diagnostic.with_hint(hint).into())
        }
    }
}
