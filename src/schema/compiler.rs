//! Texts → compiled schemas: finds what references lead to, and compiles each schema once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use super::draft::{Position, position};
use super::json::{Kind, Node};
use super::library::{Document, Library};
use super::model::{Resource, Schema, SchemaId, SchemaSet};
use super::uri::{percent_decode, resolve, scheme, split_fragment, store_path};
use super::{keywords, loops};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Source, Span, nearest};

/// Why a reference leads to no schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unloadable {
    /// The URL is not one of this store: nothing is fetched.
    Elsewhere,
    /// What is to be said about it.
    Wrong {
        /// What is wrong, in one sentence.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The file is broken, which is reported where it is.
    Broken,
}

/// What compiling came to.
#[derive(Debug)]
pub struct Finished {
    /// All schemas that policies refer to, directly or through others.
    pub schemas: SchemaSet,
    /// The files that they are in: path and text.
    pub files: Vec<(Box<str>, Box<str>)>,
    /// What is wrong with them.
    pub errors: Diagnostics,
    /// What is wrong with parts that nothing refers to, and that harms nobody yet.
    pub unused: Diagnostics,
}

/// Compiles the schemas that policies refer to, with all that these refer to.
pub struct Compiler<'l> {
    library: &'l Library,
    pub(super) resources: Vec<Place<'l>>,
    /// The first resource of each document that was asked for, by its path.
    loaded: BTreeMap<&'l str, u32>,
    /// Where schemas are: the resource of each subschema that was seen, by its identity.
    places: FxHashMap<*const Node, u32>,
    ids: FxHashMap<*const Node, SchemaId>,
    waiting: VecDeque<(SchemaId, &'l Node, u32)>,
    pub(super) schemas: Vec<Schema>,
    /// Where each schema is written.
    pub(super) sites: Vec<(&'l Source, Span)>,
    broken: BTreeSet<&'l str>,
    referrer: Option<Label>,
    diagnostics: Diagnostics,
    pub(super) tracks_evaluation: bool,
}

/// A file, or a part of it with an `$id` of its own.
pub(super) struct Place<'l> {
    pub(super) url: String,
    pub(super) root: &'l Node,
    pub(super) document: &'l Document,
    anchors: BTreeMap<&'l str, &'l Node>,
    dynamic_anchors: BTreeMap<&'l str, &'l Node>,
}

impl std::fmt::Debug for Compiler<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").field("schemas", &self.schemas.len()).finish_non_exhaustive()
    }
}

impl<'l> Compiler<'l> {
    /// A compiler of the schemas of a library.
    #[must_use]
    pub fn new(library: &'l Library) -> Self {
        Self {
            library,
            resources: Vec::new(),
            loaded: BTreeMap::new(),
            places: FxHashMap::default(),
            ids: FxHashMap::default(),
            waiting: VecDeque::new(),
            schemas: Vec::new(),
            sites: Vec::new(),
            broken: BTreeSet::new(),
            referrer: None,
            diagnostics: Diagnostics::new(),
            tracks_evaluation: false,
        }
    }

    /// Compiles the schema that a policy refers to. `referrer` is shown with whatever is wrong inside of schemas.
    ///
    /// # Errors
    /// The reference leads to no schema.
    pub fn reference(&mut self, url: &str, referrer: Label) -> Result<SchemaId, Unloadable> {
        self.referrer = Some(referrer);
        let (node, resource) = self.find(None, url)?;
        let id = self.schema(node, resource);
        self.compile_waiting();
        Ok(id)
    }

    /// Everything that was referred to, and what is wrong in it and in what nothing refers to.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.referrer = None;
        let resources = (0..self.resources.len()).map(|index| self.resource(index)).collect();
        self.compile_waiting();
        loops::report(&mut self);
        let errors = std::mem::take(&mut self.diagnostics);
        let schemas = SchemaSet {
            schemas: std::mem::take(&mut self.schemas).into(),
            resources,
            tracks_evaluation: self.tracks_evaluation,
        };
        let text = |path: &&str| match self.library.get(path) {
            Some((path, Ok(document))) => Some((path.into(), document.source.text().into())),
            _ => None,
        };
        let files = self.loaded.keys().filter_map(text).collect();
        self.compile_unused();
        Finished { schemas, files, errors, unused: self.diagnostics }
    }

    fn resource(&mut self, index: usize) -> Resource {
        let Some(place) = self.resources.get(index) else { return Resource::default() };
        let root = place.root;
        let number = Span::at(index).start;
        let anchors: Vec<(&str, &Node)> =
            place.dynamic_anchors.iter().map(|(name, node)| (*name, *node)).collect();
        let is_recursive = matches!(root.get("$recursiveAnchor").map(|it| &it.kind), Some(Kind::Bool(true)));
        let dynamic_anchors =
            anchors.into_iter().map(|(name, node)| (name.into(), self.schema(node, number))).collect();
        Resource { dynamic_anchors, recursive_anchor: is_recursive.then(|| self.schema(root, number)) }
    }

    /// Reads what nothing refers to. What is made of it is not kept.
    fn compile_unused(&mut self) {
        let paths: Vec<&str> = self.library.paths().collect();
        for path in paths {
            // A broken file is reported on the way.
            let _ = self.load(path);
        }
        for (node, resource) in self.unseen() {
            self.schema(node, resource);
        }
        self.compile_waiting();
    }

    /// Subschemas that were seen and not compiled, in the order of the files.
    fn unseen(&self) -> Vec<(&'l Node, u32)> {
        let mut unseen = Vec::new();
        for (number, place) in (0..).zip(&self.resources) {
            let mut next = vec![place.root];
            while let Some(node) = next.pop() {
                if self.places.get(&std::ptr::from_ref(node)) == Some(&number) {
                    unseen.push((node, number));
                    next.extend(subschemas(node));
                }
            }
        }
        unseen.retain(|(node, _)| !self.ids.contains_key(&std::ptr::from_ref(*node)));
        unseen
    }

    pub(super) fn report(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.related.extend(self.referrer.clone());
        self.diagnostics.push(diagnostic);
    }

    /// The number of a schema. It is compiled later: a schema may refer to itself.
    pub(super) fn schema(&mut self, node: &'l Node, resource: u32) -> SchemaId {
        let identity = std::ptr::from_ref(node);
        // A part with an `$id` of its own is another resource than what it stands in.
        let resource = self.places.get(&identity).copied().unwrap_or(resource);
        if let Some(id) = self.ids.get(&identity) {
            return *id;
        }
        let id = SchemaId(Span::at(self.schemas.len()).start);
        self.ids.insert(identity, id);
        self.schemas.push(Schema::default());
        let site = node.get("$ref").map_or(Span::at(node.span.start as usize), |reference| reference.span);
        if let Some(place) = self.resources.get(resource as usize) {
            self.sites.push((&place.document.source, site));
        }
        self.waiting.push_back((id, node, resource));
        id
    }

    fn compile_waiting(&mut self) {
        while let Some((id, node, resource)) = self.waiting.pop_front() {
            let keywords = keywords::compile(self, node, resource);
            if let Some(schema) = self.schemas.get_mut(id.0 as usize) {
                *schema = Schema { resource, keywords: keywords.into() };
            }
        }
    }

    /// Compiles what a reference in a schema leads to; reports one that leads nowhere.
    pub(super) fn follow(
        &mut self,
        reference: &'l Node,
        url: &str,
        resource: u32,
    ) -> Option<(SchemaId, &'l Node)> {
        let unloadable = match self.find(Some(resource), url) {
            Ok((node, resource)) => return Some((self.schema(node, resource), node)),
            Err(unloadable) => unloadable,
        };
        let place = self.resources.get(resource as usize)?;
        let (message, hint) = match unloadable {
            Unloadable::Broken => return None,
            Unloadable::Elsewhere => {
                let (message, hint) = elsewhere(&resolve(&place.url, split_fragment(url).0));
                (message, hint.to_owned())
            }
            Unloadable::Wrong { message, hint } => (message, hint),
        };
        let source = &place.document.source;
        self.report(Diagnostic::error(Code::InvalidSchema, source, reference.span, message).with_hint(hint));
        None
    }

    /// The schema that a reference in a resource, or in a policy, leads to, and the resource that it is a part of.
    fn find(&mut self, from: Option<u32>, reference: &str) -> Result<(&'l Node, u32), Unloadable> {
        let (url, fragment) = split_fragment(reference);
        let from = from.and_then(|from| self.resources.get(from as usize));
        let url = from.map_or_else(|| url.to_owned(), |from| resolve(&from.url, url));
        // By the URL that it gives itself, a schema is known in its own file only, as in the PDP.
        let is_meant = |place: &Place<'_>| {
            place.url == url && from.is_some_and(|from| std::ptr::eq(from.document, place.document))
        };
        let known = self.resources.iter().position(is_meant);
        let resource = match known {
            Some(index) => Span::at(index).start,
            None => {
                let elsewhere = || if scheme(&url).is_some() { Unloadable::Elsewhere } else { no_url(&url) };
                let path = store_path(&url).ok_or_else(elsewhere)?;
                self.load(&path)?
            }
        };
        self.find_fragment(resource, fragment).ok_or_else(|| Unloadable::Wrong {
            message: format!("there is no `#{fragment}` in `{url}`"),
            hint: "refer to a part of a schema by its path, such as `#/$defs/address`, or by its `$anchor`"
                .to_owned(),
        })
    }

    fn find_fragment(&mut self, resource: u32, fragment: &str) -> Option<(&'l Node, u32)> {
        let place = self.resources.get(resource as usize)?;
        let decoded = percent_decode(fragment)?;
        if decoded.is_empty() {
            return Some((place.root, resource));
        }
        let Some(pointer) = decoded.strip_prefix('/') else {
            let node = place
                .anchors
                .get(decoded.as_str())
                .or_else(|| place.dynamic_anchors.get(decoded.as_str()))?;
            return Some((node, resource));
        };
        let (mut node, mut resource) = (place.root, resource);
        for token in pointer.split('/').filter(|_| !pointer.is_empty()) {
            let token = token.replace("~1", "/").replace("~0", "~");
            node = match &node.kind {
                Kind::Array(elements) => elements.get(token.parse::<usize>().ok()?)?,
                _ => node.get(&token)?,
            };
            resource = self.places.get(&std::ptr::from_ref(node)).copied().unwrap_or(resource);
        }
        if !self.places.contains_key(&std::ptr::from_ref(node)) {
            // A place where schemas do not usually stand.
            self.survey(node, resource);
        }
        Some((node, resource))
    }

    /// The resource of a file, with everything in it that references can lead to.
    fn load(&mut self, path: &str) -> Result<u32, Unloadable> {
        let library = self.library;
        let Some((path, document)) = library.get(path) else {
            return Err(missing(path, library));
        };
        if let Some(resource) = self.loaded.get(path) {
            return Ok(*resource);
        }
        let document = match document {
            Ok(document) => document,
            Err(diagnostic) => {
                if self.broken.insert(path) {
                    self.report(Diagnostic::clone(diagnostic));
                }
                return Err(Unloadable::Broken);
            }
        };
        let url = format!("cerbos:///{path}");
        let url = own_url(document, &document.root, &url).unwrap_or(url);
        let resource = self.add_resource(url, &document.root, document);
        self.loaded.insert(path, resource);
        self.survey(&document.root, resource);
        Ok(resource)
    }

    fn add_resource(&mut self, url: String, root: &'l Node, document: &'l Document) -> u32 {
        let number = Span::at(self.resources.len()).start;
        let (anchors, dynamic_anchors) = (BTreeMap::new(), BTreeMap::new());
        self.resources.push(Place { url, root, document, anchors, dynamic_anchors });
        number
    }

    /// Notes resources, anchors and places of schemas in a schema.
    fn survey(&mut self, node: &'l Node, resource: u32) {
        let mut next = vec![(node, resource)];
        while let Some((node, outer)) = next.pop() {
            let Some(place) = self.resources.get(outer as usize) else { return };
            let document = place.document;
            let own_url =
                if std::ptr::eq(place.root, node) { None } else { own_url(document, node, &place.url) };
            let resource = match own_url {
                Some(url) => self.add_resource(url, node, document),
                None => outer,
            };
            self.places.insert(std::ptr::from_ref(node), resource);
            let text = |key| node.get(key).and_then(Node::as_str);
            // Older dialects name a place by an id that is nothing but a fragment.
            let old = text(document.draft.id()).and_then(|id| id.strip_prefix('#'));
            if let Some(place) = self.resources.get_mut(resource as usize) {
                place.anchors.extend(old.into_iter().chain(text("$anchor")).map(|name| (name, node)));
                place.dynamic_anchors.extend(text("$dynamicAnchor").map(|name| (name, node)));
            }
            next.extend(subschemas(node).map(|node| (node, resource)));
        }
    }
}

/// The URL that a schema gives itself.
fn own_url(document: &Document, node: &Node, base: &str) -> Option<String> {
    let draft = document.draft;
    if draft.ref_stands_alone() && node.get("$ref").is_some() {
        return None;
    }
    let (id, _) = split_fragment(node.get(draft.id())?.as_str()?);
    (!id.is_empty()).then(|| resolve(base, id))
}

/// The schemas that stand directly in a schema.
fn subschemas(node: &Node) -> impl Iterator<Item = &Node> {
    node.members().iter().flat_map(|member| {
        let (mut one, mut items, mut properties) = (None, &[][..], &[][..]);
        match (position(&member.key), &member.value.kind) {
            (Some(Position::Items | Position::ValueOrItems), Kind::Array(elements)) => items = elements,
            (Some(Position::Value | Position::ValueOrItems), _) => one = Some(&member.value),
            (Some(Position::Properties), Kind::Object(members)) => properties = members,
            _ => {}
        }
        let schemas = one.into_iter().chain(items).chain(properties.iter().map(|member| &member.value));
        schemas.filter(|node| matches!(node.kind, Kind::Bool(_) | Kind::Object(_)))
    })
}

fn missing(path: &str, library: &Library) -> Unloadable {
    let hint = match nearest(path, library.paths()) {
        Some(near) => format!("did you mean `cerbos:///{near}`?"),
        None => format!("schemas are files below `_schemas`; this would be `_schemas/{path}`"),
    };
    Unloadable::Wrong { message: format!("cannot find the schema `cerbos:///{path}`"), hint }
}

fn no_url(url: &str) -> Unloadable {
    let hint = format!("write `cerbos:///{}`", url.trim_start_matches('/'));
    Unloadable::Wrong { message: format!("`{url}` is not the URL of a schema"), hint }
}

/// What is said of a URL that leads out of the store, and what to do about it.
pub(crate) fn elsewhere(url: &str) -> (String, &'static str) {
    let message = format!("cannot load the schema `{url}`: only files below `_schemas` are read");
    (message, "save it below `_schemas`, and refer to it by `cerbos:///`")
}
