//! What an expression reads.

use super::Const;
use super::ast::{Kind, Node, Relation};
use super::places::{Place, Scopes, for_each_child_scoped, place};
use crate::text::Span;

/// What an expression reads, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// `V.name` and `variables.name`, also below `has()`, with their places.
    pub variables: Vec<(String, Span)>,
    /// `C.name` and `constants.name`, also below `has()`, with their places.
    pub constants: Vec<(String, Span)>,
    /// Whether `V` or `C` is used whole: it holds what is read by its name elsewhere in the policy.
    pub whole_names: bool,
    /// Attributes of the principal.
    pub principal_attrs: AttrUse,
    /// Attributes of the resource.
    pub resource_attrs: AttrUse,
    /// Whether `runtime` is read.
    pub runtime: bool,
    /// Whether the value depends on the time.
    pub now: bool,
    /// Whether `request.auxData` is read.
    pub aux_data: bool,
    /// Whether globals are read.
    pub globals: bool,
}

/// The top-level attributes that an expression can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttrUse {
    /// The names, sorted.
    pub names: Vec<String>,
    /// Whether others can be read as well: the attributes are indexed by a value, iterated or used whole.
    pub dynamic: bool,
}

impl AttrUse {
    fn add(&mut self, name: &str) {
        if let Err(index) = self.names.binary_search_by(|known| known.as_str().cmp(name)) {
            self.names.insert(index, name.to_owned());
        }
    }
}

impl References {
    /// What a checked expression reads.
    pub(crate) fn of(root: &Node) -> Self {
        let mut references = Self::default();
        references.visit(root, &mut Scopes::new());
        references
    }

    fn visit(&mut self, node: &Node, scopes: &mut Scopes) {
        if let Kind::Call { function, .. } = &node.kind
            && matches!(function.as_str(), "now" | "timeSince")
        {
            self.now = true;
        }
        if let Some((operand, name)) = named_read(node)
            && let Some(place) = place(operand, scopes)
            && !(is_optional(node) && matches!(place, Place::Variables | Place::Constants))
            && self.read(place, name, node.span)
        {
            return;
        }
        match place(node, scopes) {
            Some(place) => self.whole(place),
            None => for_each_child_scoped(node, scopes, |child, scopes| self.visit(child, scopes)),
        }
    }

    /// A field of a place. `false`: what it reads is a place of its own, or more than the field.
    fn read(&mut self, place: Place, name: &str, span: Span) -> bool {
        match place {
            Place::Variables => self.variables.push((name.to_owned(), span)),
            Place::Constants => self.constants.push((name.to_owned(), span)),
            Place::PrincipalAttr => self.principal_attrs.add(name),
            Place::ResourceAttr => self.resource_attrs.add(name),
            Place::Principal | Place::Resource => return name != "attr",
            Place::AuxData => self.aux_data = true,
            Place::Runtime => self.runtime = true,
            Place::Globals => self.globals = true,
            Place::Request => return false,
        }
        true
    }

    /// A place that is used as a value.
    fn whole(&mut self, place: Place) {
        match place {
            Place::Request => {
                self.principal_attrs.dynamic = true;
                self.resource_attrs.dynamic = true;
                self.aux_data = true;
            }
            Place::Principal | Place::PrincipalAttr => self.principal_attrs.dynamic = true,
            Place::Resource | Place::ResourceAttr => self.resource_attrs.dynamic = true,
            Place::AuxData => self.aux_data = true,
            Place::Runtime => self.runtime = true,
            Place::Globals => self.globals = true,
            Place::Variables | Place::Constants => self.whole_names = true,
        }
    }
}

/// A node that reads one field by a name known now: `x.name`, `has(x.name)`, `x["name"]`, `"name" in x`.
fn named_read(node: &Node) -> Option<(&Node, &str)> {
    match &node.kind {
        Kind::Select { operand, field, .. } | Kind::Has { operand, field } => Some((operand, field)),
        Kind::Index { operand, index, .. } => Some((operand, literal_name(index)?)),
        Kind::Relation { operator: Relation::In, left, right } => Some((right, literal_name(left)?)),
        _ => None,
    }
}

/// `x.?name`: of variables and constants that asks for a map of all of them first.
fn is_optional(node: &Node) -> bool {
    matches!(node.kind, Kind::Select { optional: true, .. })
}

fn literal_name(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Literal(Const::String(name)) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::Expr;

    fn references(text: &str) -> References {
        match Expr::parse(text) {
            Ok(expr) => expr.references().clone(),
            Err(issues) => panic!("{text}: {issues:?}"),
        }
    }

    fn principal(names: &[&str], dynamic: bool) -> AttrUse {
        AttrUse { names: names.iter().map(|name| (*name).to_owned()).collect(), dynamic }
    }

    #[test]
    fn attributes_by_name() {
        let text = "P.attr.b == 1.0 && has(request.principal.attr.a) && P.attr['c'].d && 'e' in P.attr && P.id == ''";
        assert_eq!(references(text).principal_attrs, principal(&["a", "b", "c", "e"], false));
        assert_eq!(references(text).resource_attrs, AttrUse::default());
    }

    #[test]
    fn attributes_that_only_evaluation_knows() {
        for text in ["P.attr[R.id]", "P.attr.all(k, k == '')", "size(P.attr)", "P == P", "id(P.attr)"] {
            assert_eq!(references(text).principal_attrs, principal(&[], true), "{text}");
        }
        let whole = references("request == request");
        assert!(whole.principal_attrs.dynamic && whole.resource_attrs.dynamic && whole.aux_data);
    }

    #[test]
    fn variables_and_constants_with_their_places_even_where_folding_drops_them() {
        let found = references("true || V.x || has(variables.y) || C.z");
        assert_eq!(
            found.variables,
            [("x".to_owned(), Span::new(8, 11)), ("y".to_owned(), Span::new(15, 31))]
        );
        assert_eq!(found.constants, [("z".to_owned(), Span::new(35, 38))]);
    }

    #[test]
    fn macro_variables_hide_roots() {
        assert_eq!(
            references("[{'attr': {'x': 1}}].all(P, P.attr.x == 1)").principal_attrs,
            AttrUse::default()
        );
        assert_eq!(references("[1].all(V, .V.x == 1)").variables.len(), 1);
    }

    #[test]
    fn the_rest() {
        assert!(references("now() == now()").now);
        assert!(references("timeSince(timestamp(P.attr.t)) > duration('1s')").now);
        assert!(references("request.auxData.jwt.iss == ''").aux_data);
        assert!(references("'x' in runtime.effectiveDerivedRoles").runtime);
        assert!(references("G.env == 'x'").globals);
        assert_eq!(references("P.id == R.id && P.roles == []"), References::default());
    }
}
