//! Schemas, as the texts they were compiled from.

use std::fmt;
use std::sync::Arc;

use super::wire::{Read, Reader, Wire, Writer, fields};
use crate::schema::{Compiler, Finished, Library, Unloadable};
use crate::table::{AttributeSchema, AttributeSchemas, Matcher, PolicyId, TableSchemas};
use crate::text::{Label, Source, Span};

/// The texts, and which policies demand what of them.
#[derive(Debug)]
pub(super) struct SchemaTexts {
    files: Vec<(Box<str>, Box<str>)>,
    by_policy: Vec<(PolicyId, Demands)>,
}

/// What the attributes of a request have to satisfy.
#[derive(Debug)]
struct Demands {
    principal: Option<Demand>,
    resource: Option<Demand>,
}

/// A reference to a schema, and the actions for which it is not looked at.
#[derive(Debug)]
struct Demand {
    reference: Box<str>,
    ignored_actions: Box<[Matcher]>,
}

/// A schema that cannot be compiled, although it could when it was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSchema(String);

impl fmt::Display for BrokenSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema `{}` in it cannot be used", self.0)
    }
}

impl std::error::Error for BrokenSchema {}

fields!(Demand { reference, ignored_actions });

fields!(Demands { principal, resource });

fields!(SchemaTexts { files, by_policy });

impl SchemaTexts {
    pub(super) fn of(schemas: &TableSchemas) -> Self {
        let demand = |schema: &Option<AttributeSchema>| {
            schema.as_ref().map(|schema| Demand {
                reference: schema.reference.clone(),
                ignored_actions: schema.ignored_actions.clone(),
            })
        };
        let demands = |(id, schemas): &(PolicyId, Arc<AttributeSchemas>)| {
            let demands =
                Demands { principal: demand(&schemas.principal), resource: demand(&schemas.resource) };
            (*id, demands)
        };
        Self { files: schemas.files.clone(), by_policy: schemas.by_policy.iter().map(demands).collect() }
    }

    pub(super) fn compile(&self) -> Result<TableSchemas, BrokenSchema> {
        let source = |(path, text): &(Box<str>, Box<str>)| {
            (path.to_string(), Source::new(format!("_schemas/{path}"), text.to_string()))
        };
        let library = Library::new(self.files.iter().map(source));
        let mut compiler = Compiler::new(&library);
        let mut by_policy = Vec::with_capacity(self.by_policy.len());
        for (id, demands) in &self.by_policy {
            let schemas = AttributeSchemas {
                principal: compile(demands.principal.as_ref(), &mut compiler)?,
                resource: compile(demands.resource.as_ref(), &mut compiler)?,
            };
            by_policy.push((*id, Arc::new(schemas)));
        }
        let Finished { schemas: set, errors, .. } = compiler.finish();
        match errors.iter().next() {
            Some(error) => Err(BrokenSchema(error.message.clone())),
            None => Ok(TableSchemas { set, files: self.files.clone(), by_policy }),
        }
    }
}

fn compile(
    demand: Option<&Demand>,
    compiler: &mut Compiler<'_>,
) -> Result<Option<AttributeSchema>, BrokenSchema> {
    let Some(Demand { reference, ignored_actions }) = demand else { return Ok(None) };
    let referrer = Label::new(&Source::new("bundle", ""), Span::at(0));
    match compiler.reference(reference, referrer) {
        Ok(schema) => Ok(Some(AttributeSchema {
            reference: reference.clone(),
            schema,
            ignored_actions: ignored_actions.clone(),
        })),
        Err(Unloadable::Elsewhere | Unloadable::Wrong { .. } | Unloadable::Broken) => {
            Err(BrokenSchema(reference.to_string()))
        }
    }
}
