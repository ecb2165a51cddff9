//! Schemas that refer to themselves without looking at a part of the value first: they would never end.

use super::compiler::Compiler;
use super::model::{Keyword, SchemaId};
use crate::text::{Code, Diagnostic};

/// The schemas that a keyword applies to the same value.
fn in_place(keyword: &Keyword) -> Vec<SchemaId> {
    match keyword {
        Keyword::Ref(schema)
        | Keyword::Not(schema)
        | Keyword::DependentSchema { schema, .. }
        | Keyword::DynamicRef { target: schema, .. }
        | Keyword::RecursiveRef { target: schema, .. } => vec![*schema],
        Keyword::AllOf(schemas) | Keyword::AnyOf(schemas) | Keyword::OneOf(schemas) => schemas.to_vec(),
        Keyword::If { condition, then, otherwise } => {
            [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Unseen,
    Open,
    Done,
}

/// Reports one schema of each circle.
pub(super) fn report(compiler: &mut Compiler<'_>) {
    let next: Vec<Vec<SchemaId>> =
        compiler.schemas.iter().map(|schema| schema.keywords.iter().flat_map(in_place).collect()).collect();
    let mut visits = vec![Visit::Unseen; next.len()];
    let mut loops = Vec::new();
    for start in 0..next.len() {
        // Each entry: a schema, and how many of its successors were visited.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if visits[start] == Visit::Unseen {
            visits[start] = Visit::Open;
            path.push((start, 0));
        }
        while let Some((schema, visited)) = path.last_mut() {
            let Some(successor) = next[*schema].get(*visited) else {
                visits[*schema] = Visit::Done;
                path.pop();
                continue;
            };
            *visited += 1;
            let successor = successor.0 as usize;
            match visits.get(successor) {
                Some(Visit::Unseen) => {
                    visits[successor] = Visit::Open;
                    path.push((successor, 0));
                }
                Some(Visit::Open) => loops.push(*schema),
                Some(Visit::Done) | None => {}
            }
        }
    }
    for schema in loops {
        let Some((source, span)) = compiler.sites.get(schema).copied() else { continue };
        let message = "the schema refers to itself without end";
        compiler.report(
            Diagnostic::error(Code::InvalidSchema, source, span, message).with_hint(
                "a schema may only come back to itself for a part of the value, such as a property",
            ),
        );
    }
}
