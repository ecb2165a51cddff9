//! One schema → what it demands. Says what is wrong with keywords, as a validation against the meta-schema would.

use std::collections::BTreeSet;

use ::regex::Regex;

use super::compiler::Compiler;
use super::draft::Draft;
use super::json::{Kind, Member, Node};
use super::model::{Additional, Content, Keyword, Properties, Rest, SchemaId, Types};
use super::number::Decimal;
use super::uri::split_fragment;
use super::{format, quote};
use crate::cel::regex;
use crate::text::{Code, Diagnostic, Source, Span, nearest};

/// What the schema demands, in the order in which the PDP's validator checks it.
pub(super) fn compile<'l>(compiler: &mut Compiler<'l>, node: &'l Node, resource: u32) -> Vec<Keyword> {
    let Some(place) = compiler.resources.get(resource as usize) else { return Vec::new() };
    let (source, draft) = (&place.document.source, place.document.draft);
    let mut keywords = Keywords { compiler, node, resource, source, draft, out: Vec::new() };
    match &node.kind {
        Kind::Bool(true) => {}
        Kind::Bool(false) => keywords.out.push(Keyword::Never),
        Kind::Object(_) if draft.ref_stands_alone() && node.get("$ref").is_some() => keywords.references(),
        Kind::Object(_) => keywords.all(),
        _ => {
            let message = format!("a schema must be an object or a boolean, not {}", node.type_name());
            keywords.report(node.span, message, None);
        }
    }
    keywords.out
}

/// A keyword that holds a list of schemas.
type ListKeyword = fn(Box<[SchemaId]>) -> Keyword;

struct Keywords<'c, 'l> {
    compiler: &'c mut Compiler<'l>,
    node: &'l Node,
    resource: u32,
    source: &'l Source,
    draft: Draft,
    out: Vec<Keyword>,
}

impl<'l> Keywords<'_, 'l> {
    fn all(&mut self) {
        self.types();
        self.constants();
        self.format();
        self.objects();
        self.arrays();
        self.strings_and_content();
        self.numbers();
        self.references();
        self.applicators();
        self.unevaluated();
        self.annotations();
    }

    fn types(&mut self) {
        let Some(node) = self.node.get("type") else { return };
        let names: Vec<&'l Node> = match &node.kind {
            Kind::Array(names) => names.iter().collect(),
            _ => vec![node],
        };
        if names.is_empty() {
            self.report(node.span, "`type` needs at least one name of a type".to_owned(), None);
        }
        let mut allowed = Types::default();
        let mut known = Vec::new();
        for node in names {
            match node.as_str().map(|name| (name, Types::named(name))) {
                Some((name, Some(one))) => {
                    allowed = allowed.with(one);
                    known.push(name);
                }
                Some((name, None)) => {
                    let hint = match nearest(name, Types::NAMES) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the types are {}", Types::NAMES.join(", ")),
                    };
                    self.report(node.span, format!("`{name}` is not a type"), Some(hint));
                }
                None => self.wrong_type("type", "the name of a type, or a list of names", node),
            }
        }
        self.out.push(Keyword::Type { allowed, names: known.join(" or ").into() });
    }

    fn constants(&mut self) {
        if let Some(node) = self.node.get("const").filter(|_| self.draft >= Draft::Draft6) {
            let message = match quote::constant(node) {
                Some(constant) => format!("value must be {constant}"),
                None => "const failed".to_owned(),
            };
            self.out.push(Keyword::Const { value: node.to_const(), message: message.into() });
        }
        let Some((_, nodes)) = self.array("enum") else { return };
        let constants: Option<Vec<String>> = nodes.iter().map(quote::constant).collect();
        let message = match constants.as_deref() {
            None => "enum failed".to_owned(),
            Some([constant]) => format!("value must be {constant}"),
            Some(constants) => format!("value must be one of {}", constants.join(", ")),
        };
        let values = nodes.iter().map(Node::to_const).collect();
        self.out.push(Keyword::Enum { values, message: message.into() });
    }

    fn format(&mut self) {
        let Some(name) = self.string("format") else { return };
        if let Some(is_valid) = format::named(name) {
            self.out.push(Keyword::Format { name: name.into(), is_valid });
        }
    }

    fn objects(&mut self) {
        let min = self.count("minProperties").map(Keyword::MinProperties);
        let max = self.count("maxProperties").map(Keyword::MaxProperties);
        let required = self.names("required").map(Keyword::Required);
        self.out.extend([min, max, required].into_iter().flatten());
        self.properties();
        if self.draft >= Draft::Draft6
            && let Some(schema) = self.schema("propertyNames")
        {
            self.out.push(Keyword::PropertyNames(schema));
        }
        self.dependencies();
    }

    fn properties(&mut self) {
        let mut named = self.schemas_by_name("properties");
        named.sort_by(|(a, ..), (b, ..)| a.key.cmp(&b.key));
        let named: Box<[_]> =
            named.into_iter().map(|(member, schema)| (member.key.clone(), schema)).collect();
        let mut patterns = Vec::new();
        for (member, schema) in self.schemas_by_name("patternProperties") {
            if let Some(regex) = self.regex(&member.key, member.key_span) {
                patterns.push((regex, schema));
            }
        }
        let additional = match self.node.get("additionalProperties").map(|node| (&node.kind, node)) {
            None => Additional::Unsaid,
            Some((Kind::Bool(true), _)) => Additional::Allowed,
            Some((Kind::Bool(false), _)) => Additional::Forbidden,
            Some((_, node)) => Additional::Schema(self.compiler.schema(node, self.resource)),
        };
        let says_nothing =
            matches!(additional, Additional::Unsaid) && named.is_empty() && patterns.is_empty();
        if !says_nothing {
            let properties = Properties { named, patterns: patterns.into(), additional };
            self.out.push(Keyword::Properties(Box::new(properties)));
        }
    }

    fn dependencies(&mut self) {
        for member in self.members("dependencies") {
            let name = member.key.clone();
            if let Kind::Array(_) = member.value.kind {
                let required = self.names_of("dependencies", &member.value);
                self.out.push(Keyword::DependentRequired { name, required });
            } else {
                let schema = self.compiler.schema(&member.value, self.resource);
                self.out.push(Keyword::DependentSchema { name, schema });
            }
        }
        if self.draft < Draft::Draft2019 {
            return;
        }
        for member in self.members("dependentRequired") {
            let required = self.names_of("dependentRequired", &member.value);
            self.out.push(Keyword::DependentRequired { name: member.key.clone(), required });
        }
        for (member, schema) in self.schemas_by_name("dependentSchemas") {
            self.out.push(Keyword::DependentSchema { name: member.key.clone(), schema });
        }
    }

    fn arrays(&mut self) {
        let min = self.count("minItems").map(Keyword::MinItems);
        let max = self.count("maxItems").map(Keyword::MaxItems);
        let unique = self.boolean("uniqueItems").filter(|unique| *unique).map(|_| Keyword::UniqueItems);
        self.out.extend([min, max, unique].into_iter().flatten());
        self.items();
        if self.draft < Draft::Draft6 {
            return;
        }
        let is_counted = self.draft >= Draft::Draft2019;
        let min = if is_counted { self.count("minContains") } else { None };
        let max = if is_counted { self.count("maxContains") } else { None };
        if let Some(schema) = self.schema("contains") {
            let evaluates = self.draft >= Draft::Draft2020;
            self.out.push(Keyword::Contains { schema, min: min.unwrap_or(1), max, evaluates });
        }
    }

    fn items(&mut self) {
        let is_list = |name: &str| matches!(self.node.get(name).map(|it| &it.kind), Some(Kind::Array(_)));
        let (prefix, rest) = if self.draft >= Draft::Draft2020 {
            (self.schemas("prefixItems"), self.rest("items", false))
        } else if is_list("items") {
            (self.schemas("items"), self.rest("additionalItems", true))
        } else {
            (Box::default(), self.rest("items", false))
        };
        if !prefix.is_empty() || !matches!(rest, Rest::Unsaid) {
            self.out.push(Keyword::Items { prefix, rest });
        }
    }

    /// What holds for the other items. Where `closes`, a boolean is about their being there, not about each.
    fn rest(&mut self, name: &str, closes: bool) -> Rest {
        match self.node.get(name).map(|node| (&node.kind, node)) {
            None => Rest::Unsaid,
            Some((Kind::Bool(true), _)) if closes => Rest::Allowed,
            Some((Kind::Bool(false), _)) if closes => Rest::Forbidden,
            Some((_, node)) => Rest::Schema(self.compiler.schema(node, self.resource)),
        }
    }

    fn strings_and_content(&mut self) {
        let min = self.count("minLength").map(Keyword::MinLength);
        let max = self.count("maxLength").map(Keyword::MaxLength);
        self.out.extend([min, max].into_iter().flatten());
        if let Some(pattern) = self.string("pattern")
            && let Some(node) = self.node.get("pattern")
            && let Some(regex) = self.regex(pattern, node.span)
        {
            self.out.push(Keyword::Pattern { regex, pattern: pattern.into() });
        }
        let (encoding, media_type) = (self.string("contentEncoding"), self.string("contentMediaType"));
        if self.draft < Draft::Draft7 {
            return;
        }
        let base64 = encoding == Some("base64");
        let json = media_type == Some("application/json");
        let schema = media_type.and_then(|_| self.schema("contentSchema"));
        if base64 || json {
            let opaque = encoding.is_some_and(|encoding| !encoding.is_empty()) && !base64;
            self.out.push(Keyword::Content(Box::new(Content { base64, opaque, json, schema })));
        }
    }

    fn numbers(&mut self) {
        let (mut minimum, mut maximum) = (self.number("minimum"), self.number("maximum"));
        let (mut above, mut below) = (None, None);
        if self.draft == Draft::Draft4 {
            if self.boolean("exclusiveMinimum") == Some(true) {
                above = minimum.take();
            }
            if self.boolean("exclusiveMaximum") == Some(true) {
                below = maximum.take();
            }
        } else {
            above = self.number("exclusiveMinimum");
            below = self.number("exclusiveMaximum");
        }
        let limits = [
            minimum.map(Keyword::Minimum),
            above.map(Keyword::ExclusiveMinimum),
            maximum.map(Keyword::Maximum),
            below.map(Keyword::ExclusiveMaximum),
        ];
        self.out.extend(limits.into_iter().flatten());
        if let Some(factor) = self.number("multipleOf")
            && let Some(node) = self.node.get("multipleOf")
        {
            match Decimal::of(factor) {
                Some(decimal) if factor > 0.0 => self.out.push(Keyword::MultipleOf { factor, decimal }),
                _ => self.report(node.span, "`multipleOf` must be greater than 0".to_owned(), None),
            }
        }
    }

    fn references(&mut self) {
        if let Some((schema, _)) = self.reference("$ref") {
            self.out.push(Keyword::Ref(schema));
        }
        if self.draft >= Draft::Draft2019
            && let Some((target, node)) = self.reference("$recursiveRef")
        {
            let to_anchor = matches!(node.get("$recursiveAnchor").map(|it| &it.kind), Some(Kind::Bool(true)));
            self.out.push(Keyword::RecursiveRef { target, to_anchor });
        }
        if self.draft >= Draft::Draft2020
            && let Some((target, node)) = self.reference("$dynamicRef")
        {
            let (_, anchor) = split_fragment(self.string("$dynamicRef").unwrap_or_default());
            // Only where the place itself is a dynamic anchor does the reference depend on where it is used.
            let is_dynamic = node.get("$dynamicAnchor").and_then(Node::as_str) == Some(anchor);
            self.out.push(Keyword::DynamicRef { target, anchor: is_dynamic.then(|| anchor.into()) });
        }
    }

    fn applicators(&mut self) {
        if let Some(schema) = self.schema("not") {
            self.out.push(Keyword::Not(schema));
        }
        for (name, keyword) in
            [("allOf", Keyword::AllOf as ListKeyword), ("anyOf", Keyword::AnyOf), ("oneOf", Keyword::OneOf)]
        {
            let schemas = self.schemas(name);
            if !schemas.is_empty() {
                self.out.push(keyword(schemas));
            }
        }
        if self.draft >= Draft::Draft7
            && let Some(condition) = self.schema("if")
        {
            let (then, otherwise) = (self.schema("then"), self.schema("else"));
            self.out.push(Keyword::If { condition, then, otherwise });
        }
    }

    fn unevaluated(&mut self) {
        if self.draft < Draft::Draft2019 {
            return;
        }
        let properties = self.schema("unevaluatedProperties").map(Keyword::UnevaluatedProperties);
        let items = self.schema("unevaluatedItems").map(Keyword::UnevaluatedItems);
        self.compiler.tracks_evaluation |= properties.is_some() || items.is_some();
        self.out.extend(properties.into_iter().chain(items));
    }

    /// Keywords that demand nothing, and must be well formed all the same.
    fn annotations(&mut self) {
        for name in ["$anchor", "$dynamicAnchor", "$comment", "title", "description", self.draft.id()] {
            self.string(name);
        }
        for name in ["deprecated", "readOnly", "writeOnly", "$recursiveAnchor"] {
            self.boolean(name);
        }
        for name in ["$defs", "definitions"] {
            self.members(name);
        }
        self.array("examples");
        if let Some(vocabulary) = self.node.get("$vocabulary") {
            let message = "`$vocabulary` is for meta-schemas, which are not supported".to_owned();
            self.report(vocabulary.span, message, None);
        }
    }

    fn reference(&mut self, name: &str) -> Option<(SchemaId, &'l Node)> {
        let url = self.string(name)?;
        let node = self.node.get(name)?;
        self.compiler.follow(node, url, self.resource)
    }

    fn regex(&mut self, pattern: &str, span: Span) -> Option<Regex> {
        match regex::compile(pattern) {
            Ok(regex) => Some(regex),
            Err(reason) => {
                let hint = regex::DIALECT.to_owned();
                self.report(span, format!("invalid regular expression: {reason}"), Some(hint));
                None
            }
        }
    }

    fn schema(&mut self, name: &str) -> Option<SchemaId> {
        self.node.get(name).map(|node| self.compiler.schema(node, self.resource))
    }

    fn schemas(&mut self, name: &str) -> Box<[SchemaId]> {
        let Some((list, nodes)) = self.array(name) else { return Box::default() };
        if nodes.is_empty() {
            self.report(list.span, format!("`{name}` needs at least one schema"), None);
        }
        nodes.iter().map(|node| self.compiler.schema(node, self.resource)).collect()
    }

    fn schemas_by_name(&mut self, name: &str) -> Vec<(&'l Member, SchemaId)> {
        let members = self.members(name).iter();
        members.map(|member| (member, self.compiler.schema(&member.value, self.resource))).collect()
    }

    /// The value of a keyword, if it is there and what it should be.
    fn expect<T>(&mut self, name: &str, what: &str, read: impl FnOnce(&'l Node) -> Option<T>) -> Option<T> {
        let node = self.node.get(name)?;
        let value = read(node);
        if value.is_none() {
            self.wrong_type(name, what, node);
        }
        value
    }

    fn string(&mut self, name: &str) -> Option<&'l str> {
        self.expect(name, "a string", Node::as_str)
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        self.expect(name, "a boolean", |node| match node.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        })
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        self.expect(name, "a number", |node| match node.kind {
            Kind::Number { value, .. } => Some(value),
            _ => None,
        })
    }

    fn count(&mut self, name: &str) -> Option<u64> {
        self.expect(name, "a whole number from 0 on", |node| match node.kind {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number, and what exceeds 64 bits is as good as their maximum"
            )]
            Kind::Number { value, .. } if value >= 0.0 && value.fract() == 0.0 => Some(value as u64),
            _ => None,
        })
    }

    fn array(&mut self, name: &str) -> Option<(&'l Node, &'l [Node])> {
        self.expect(name, "a list", |node| match &node.kind {
            Kind::Array(nodes) => Some((node, nodes.as_slice())),
            _ => None,
        })
    }

    fn members(&mut self, name: &str) -> &'l [Member] {
        let members = self.expect(name, "an object", |node| match &node.kind {
            Kind::Object(members) => Some(members.as_slice()),
            _ => None,
        });
        members.unwrap_or_default()
    }

    fn names(&mut self, name: &str) -> Option<Box<[Box<str>]>> {
        self.node.get(name).map(|node| self.names_of(name, node))
    }

    /// A list of different strings.
    fn names_of(&mut self, keyword: &str, node: &'l Node) -> Box<[Box<str>]> {
        let Kind::Array(nodes) = &node.kind else {
            self.wrong_type(keyword, "a list of names", node);
            return Box::default();
        };
        let mut seen = BTreeSet::new();
        let mut names = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.as_str() {
                Some(name) if seen.insert(name) => names.push(name.into()),
                Some(name) => self.report(node.span, format!("`{name}` stands twice in `{keyword}`"), None),
                None => self.wrong_type(keyword, "a list of names", node),
            }
        }
        names.into()
    }

    fn wrong_type(&mut self, name: &str, expected: &str, node: &Node) {
        let got = match &node.kind {
            Kind::Number { text, .. } => text,
            _ => node.type_name(),
        };
        self.report(node.span, format!("`{name}` must be {expected}, not {got}"), None);
    }

    fn report(&mut self, span: Span, message: String, hint: Option<String>) {
        let diagnostic = Diagnostic::error(Code::InvalidSchema, self.source, span, message);
        self.compiler.report(Diagnostic { hint, ..diagnostic });
    }
}
