//! Tests of routes: a request, and what it is expected to ask for.

mod decode;

use std::fmt;

use orthrus::text::Position;

use crate::path::normalize_path;
use crate::routes::{AskedRequest, RouteMatch, Routes};
pub(crate) use decode::decode;

/// A test of a file of routes.
#[derive(Debug)]
pub struct RouteTest {
    file: String,
    position: Position,
    name: Option<String>,
    method: String,
    /// With its query.
    path: String,
    host: String,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    /// No route fits.
    NoRoute,
    /// The path has no meaning that is sure.
    Refused,
    /// What is given is as the request asks.
    Match {
        /// By the names that they have in the file.
        fields: Vec<(&'static str, String)>,
        /// None for an attribute that is not to be there.
        attr: Vec<(String, Option<String>)>,
    },
}

enum Outcome {
    Refused(&'static str),
    NoRoute,
    Match(RouteMatch),
}

/// What is not as a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTestFailure {
    /// The name of the file.
    pub file: String,
    /// Where the test is written in it.
    pub position: Position,
    /// The name of the test.
    pub name: String,
    /// All that differs; at least one.
    pub differences: Vec<Difference>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `route`, `kind`, `id`, `action`, `scope`, `policyVersion`, `attr.NAME`, or `outcome` where
    /// something else comes than a route.
    pub what: String,
    /// What the test expects, in words.
    pub expected: String,
    /// What came, in words.
    pub actual: String,
}

impl RouteTest {
    /// The name that it has in the file, or else its request: `GET /a/b?x=1`.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.method, self.path))
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where it is written.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Asks the routes for what the request means.
    ///
    /// # Errors
    /// All that is not as expected.
    pub fn run(&self, routes: &Routes) -> Result<(), RouteTestFailure> {
        let differences = self.expected.differences(&self.outcome(routes));
        if differences.is_empty() {
            return Ok(());
        }
        let file = self.file.clone();
        Err(RouteTestFailure { file, position: self.position, name: self.name(), differences })
    }

    fn outcome(&self, routes: &Routes) -> Outcome {
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        let path = match normalize_path(path) {
            Ok(path) => path,
            Err(problem) => return Outcome::Refused(problem),
        };
        let header = |name: &str| {
            let mut headers = self.headers.iter();
            headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        let (method, host) = (self.method.as_str(), self.host.as_str());
        let request = AskedRequest { method, host, path: &path, query, header: &header };
        routes.matching(&request).map_or(Outcome::NoRoute, Outcome::Match)
    }
}

impl Expected {
    fn differences(&self, outcome: &Outcome) -> Vec<Difference> {
        let of_outcome = |expected: &str| {
            let (expected, actual) = (expected.to_owned(), outcome.to_string());
            vec![Difference { what: "outcome".to_owned(), expected, actual }]
        };
        match (self, outcome) {
            (Self::NoRoute, Outcome::NoRoute) | (Self::Refused, Outcome::Refused(_)) => Vec::new(),
            (Self::NoRoute, _) => of_outcome("no route"),
            (Self::Refused, _) => of_outcome("a refused path"),
            (Self::Match { fields, attr }, Outcome::Match(found)) => differences(fields, attr, found),
            (Self::Match { .. }, _) => of_outcome("a route"),
        }
    }
}

fn differences(
    fields: &[(&'static str, String)],
    attr: &[(String, Option<String>)],
    found: &RouteMatch,
) -> Vec<Difference> {
    let fields = fields.iter().map(|(name, expected)| {
        let actual = field(found, name);
        (name.to_string(), Some(expected.as_str()), Some(actual))
    });
    let attr = attr.iter().map(|(name, expected)| {
        let actual = found.resource.attr.iter().find(|(it, _)| it == name);
        (format!("attr.{name}"), expected.as_deref(), actual.map(|(_, value)| value.as_str()))
    });
    let in_words =
        |value: Option<&str>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
    fields
        .chain(attr)
        .filter(|(_, expected, actual)| expected != actual)
        .map(|(what, expected, actual)| Difference {
            what,
            expected: in_words(expected),
            actual: in_words(actual),
        })
        .collect()
}

fn field<'m>(found: &'m RouteMatch, name: &str) -> &'m str {
    match name {
        "route" => &found.route,
        "action" => &found.action,
        "kind" => &found.resource.kind,
        "id" => &found.resource.id,
        "scope" => &found.resource.scope,
        _ => &found.resource.policy_version,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => write!(f, "a refused path: {problem}"),
            Self::NoRoute => f.write_str("no route"),
            Self::Match(RouteMatch { route, action, resource }) => {
                write!(f, "the route `{route}`: {action:?} of {} {:?}", resource.kind, resource.id)
            }
        }
    }
}

/// A line with place and name, and one for each difference.
impl fmt::Display for RouteTestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.position, self.name)?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.what, self.expected, self.actual)
    }
}
