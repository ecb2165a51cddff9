//! The parts of the request and of the policy that an expression can name.

use super::ast::{Kind, Node};

/// What a chain of names stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Request,
    Principal,
    Resource,
    PrincipalAttr,
    ResourceAttr,
    AuxData,
    Runtime,
    Variables,
    Constants,
    Globals,
}

/// The names of the macro variables around a node, innermost last.
pub(crate) type Scopes = Vec<String>;

/// The place that a node names, unless it is something else or a macro variable hides the name.
pub(crate) fn place(node: &Node, scopes: &Scopes) -> Option<Place> {
    match &node.kind {
        Kind::Ident { name, absolute } => {
            if !absolute && scopes.contains(name) {
                return None;
            }
            Some(match name.as_str() {
                "request" => Place::Request,
                "P" => Place::Principal,
                "R" => Place::Resource,
                "runtime" => Place::Runtime,
                "V" | "variables" => Place::Variables,
                "C" | "constants" => Place::Constants,
                "G" | "globals" => Place::Globals,
                _ => return None,
            })
        }
        Kind::Select { operand, field, optional: false } => {
            Some(match (place(operand, scopes)?, field.as_str()) {
                (Place::Request, "principal") => Place::Principal,
                (Place::Request, "resource") => Place::Resource,
                (Place::Request, "auxData" | "aux_data") => Place::AuxData,
                (Place::Principal, "attr") => Place::PrincipalAttr,
                (Place::Resource, "attr") => Place::ResourceAttr,
                _ => return None,
            })
        }
        _ => None,
    }
}

/// Visits the children of a node, with the names that a macro gives them in scope. `scopes` is as
/// before afterwards.
pub(crate) fn for_each_child_scoped<'n>(
    node: &'n Node,
    scopes: &mut Scopes,
    mut visit: impl FnMut(&'n Node, &mut Scopes),
) {
    let depth = scopes.len();
    match &node.kind {
        Kind::Comprehension(comprehension) => {
            visit(&comprehension.range, scopes);
            scopes.push(comprehension.var.clone());
            scopes.extend(comprehension.var2.clone());
            comprehension.filter.iter().for_each(|filter| visit(filter, scopes));
            visit(&comprehension.body, scopes);
        }
        Kind::Bind { var, value: outer, body } | Kind::OptionalMap { var, target: outer, body, .. } => {
            visit(outer, scopes);
            scopes.push(var.clone());
            visit(body, scopes);
        }
        _ => node.for_each_child(|child| visit(child, scopes)),
    }
    scopes.truncate(depth);
}
