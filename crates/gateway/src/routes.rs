//! Which request asks for which action on which resource.

mod decode;
mod rivals;
mod template;

use std::borrow::Cow;

use orthrus::text::{Diagnostics, Source};

use crate::path::NormalPath;
use crate::percent::{self, Repeated};
use crate::route_test::RouteTest;
pub(crate) use decode::METHOD;
use template::Template;

/// A request as the proxy tells it.
pub struct AskedRequest<'a> {
    /// The method as it came in: `GET`.
    pub method: &'a str,
    /// The host without port, in small letters.
    pub host: &'a str,
    /// The path.
    pub path: &'a NormalPath,
    /// What stands behind the `?`, if there is one.
    pub query: Option<&'a str>,
    /// The value of a header by its name in any case; of one that came several times, the values joined by `, `.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

/// What a request asks for, by a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// The path of the route as it is written.
    pub route: String,
    /// What is to be done.
    pub action: String,
    /// What it is done to.
    pub resource: MatchedResource,
}

/// The resource that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedResource {
    /// Its kind.
    pub kind: String,
    /// Its id; the path where the route gives none.
    pub id: String,
    /// Its scope; empty where the route gives none.
    pub scope: String,
    /// The policy version; empty where the route gives none.
    pub policy_version: String,
    /// Its attributes, without those that the request does not have.
    pub attr: Vec<(String, String)>,
}

/// A table of routes, which finds the most exact one.
#[derive(Debug)]
pub struct Routes {
    /// Most exact first.
    routes: Vec<Route>,
}

/// What a file of routes holds.
#[derive(Debug)]
pub struct RoutesFile {
    /// The table.
    pub routes: Routes,
    /// What is expected of it.
    pub tests: Vec<RouteTest>,
}

#[derive(Debug)]
struct Route {
    path: String,
    segments: Vec<Segment>,
    /// None for all.
    methods: Option<Vec<String>>,
    /// None for all; `*.example.com` for all below one.
    hosts: Option<Vec<String>>,
    resource: ResourceTemplate,
    action: Action,
}

/// In the order in which routes are tried, whatever the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Name,
    /// All segments that are left; only at the end.
    Rest,
}

#[derive(Debug, Default)]
struct ResourceTemplate {
    kind: String,
    id: Template,
    scope: Template,
    policy_version: Template,
    attr: Vec<(String, Attribute)>,
}

#[derive(Debug)]
enum Attribute {
    Text(Template),
    Header(String),
    Query(String),
}

#[derive(Debug)]
enum Action {
    /// `{method}` in it stands for the method in small letters.
    Named(String),
    ByMethod(Vec<(String, String)>),
}

impl Routes {
    /// Reads a file of routes: a list of them, or `{ routes, tests }`, in YAML or JSON.
    ///
    /// # Errors
    /// All mistakes of the file.
    pub fn from_source(source: &Source) -> Result<RoutesFile, Diagnostics> {
        decode::file(source)
    }

    /// How many routes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is none, so that no request asks for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// What a request asks for; None where no route fits, or a parameter of the query that counts is given more than once.
    #[must_use]
    pub fn matching(&self, request: &AskedRequest<'_>) -> Option<RouteMatch> {
        let mut routes = self.routes.iter().filter(|route| route.takes(request.method, request.host));
        let (route, parts) = routes.find_map(|route| Some((route, route.parts(&request.path.segments)?)))?;
        // A method without an action fits no route, not even a wider one.
        Some(RouteMatch {
            route: route.path.clone(),
            action: route.action.of(request.method)?,
            resource: route.resource.fill(&parts, request).ok()?,
        })
    }
}

impl Route {
    fn takes(&self, method: &str, host: &str) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(|it| it == method))
            && self.hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|it| is_host(it, host)))
    }

    /// What stands in a path where the route has names, in their order; None where the path does not fit.
    fn parts<'p>(&self, path: &'p [String]) -> Option<Vec<Cow<'p, str>>> {
        let mut parts = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            let given = path.get(index);
            match segment {
                Segment::Rest => {
                    let rest = path.get(index..).unwrap_or_default();
                    parts.push(Cow::Owned(rest.join("/")));
                    return Some(parts);
                }
                Segment::Name => parts.push(Cow::Borrowed(given?.as_str())),
                Segment::Literal(literal) if given? == literal => {}
                Segment::Literal(_) => return None,
            }
        }
        (path.len() == self.segments.len()).then_some(parts)
    }
}

fn is_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(domain) => host.ends_with(domain),
        None => host == pattern,
    }
}

impl ResourceTemplate {
    fn fill(&self, parts: &[Cow<'_, str>], request: &AskedRequest<'_>) -> Result<MatchedResource, Repeated> {
        let id = Some(self.id.fill(parts)).filter(|id| !id.is_empty());
        let mut attr = Vec::with_capacity(self.attr.len());
        for (name, attribute) in &self.attr {
            // What is not said is no attribute, and not an empty one.
            if let Some(value) = attribute.value(parts, request)? {
                attr.push((name.clone(), value));
            }
        }
        Ok(MatchedResource {
            kind: self.kind.clone(),
            id: id.unwrap_or_else(|| request.path.text.clone()),
            scope: self.scope.fill(parts),
            policy_version: self.policy_version.fill(parts),
            attr,
        })
    }
}

impl Attribute {
    fn value(&self, parts: &[Cow<'_, str>], request: &AskedRequest<'_>) -> Result<Option<String>, Repeated> {
        match self {
            Self::Text(template) => Ok(Some(template.fill(parts))),
            Self::Header(name) => Ok((request.header)(name)),
            Self::Query(name) => request.query.map_or(Ok(None), |query| percent::parameter(query, name)),
        }
    }
}

impl Default for Action {
    fn default() -> Self {
        Self::ByMethod(Vec::new())
    }
}

impl Action {
    fn of(&self, method: &str) -> Option<String> {
        match self {
            Self::Named(name) => Some(name.replacen("{method}", &method.to_ascii_lowercase(), 1)),
            Self::ByMethod(actions) => {
                actions.iter().find(|(it, _)| it == method).map(|(_, action)| action.clone())
            }
        }
    }
}
