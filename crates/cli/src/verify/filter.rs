//! Which tests are run: `suite=…;test=…;principal=…;resource=…;action=…`, each a list of patterns.

use std::fmt;

use orthrus::table::Glob;

/// Patterns for each part of a test's name. A part without patterns matches everything; a part with several
/// matches what one of them matches.
#[derive(Clone, Debug, Default)]
pub struct TestFilter {
    suite: Vec<Glob>,
    test: Vec<Glob>,
    principal: Vec<Glob>,
    resource: Vec<Glob>,
    action: Vec<Glob>,
}

/// Why a filter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFilter(String);

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidFilter {}

const PARTS: &str = "suite, test, principal, resource and action";

impl TestFilter {
    /// Reads filters: each is `PART=PATTERN,PATTERN;PART=…`. What several say of one part is added up.
    ///
    /// # Errors
    /// An unknown part, a part without `=`, a pattern that cannot be read, and a filter without any pattern.
    pub fn new<'f>(filters: impl IntoIterator<Item = &'f str>) -> Result<Self, InvalidFilter> {
        let mut filter = Self::default();
        for text in filters {
            filter.add(text)?;
        }
        Ok(filter)
    }

    fn add(&mut self, text: &str) -> Result<(), InvalidFilter> {
        let mut patterns = 0;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, globs)) = part.split_once('=') else {
                return Err(InvalidFilter(format!("`{part}` is not of the form PART=PATTERN,PATTERN")));
            };
            let list = self.part(name.trim())?;
            for glob in globs.split(',').map(str::trim).filter(|glob| !glob.is_empty()) {
                let across = if glob == "*" { "**" } else { glob };
                let compiled = Glob::new(across).map_err(|error| {
                    InvalidFilter(format!("the pattern `{glob}` cannot be read: {error}"))
                })?;
                list.push(compiled);
                patterns += 1;
            }
        }
        if patterns == 0 && !text.trim().is_empty() {
            return Err(InvalidFilter(format!("`{text}` has no pattern")));
        }
        Ok(())
    }

    fn part(&mut self, name: &str) -> Result<&mut Vec<Glob>, InvalidFilter> {
        match name.to_ascii_lowercase().as_str() {
            "suite" => Ok(&mut self.suite),
            "test" => Ok(&mut self.test),
            "principal" => Ok(&mut self.principal),
            "resource" => Ok(&mut self.resource),
            "action" => Ok(&mut self.action),
            _ => Err(InvalidFilter(format!("there is no part `{name}`: there are {PARTS}"))),
        }
    }

    /// Why a test is left out, if it is.
    pub(super) fn leaves_out(
        &self,
        suite: &str,
        test: &str,
        principal: &str,
        resource: &str,
    ) -> Option<&'static str> {
        [
            (&self.suite, suite, "the test filter leaves the suite out"),
            (&self.test, test, "the test filter leaves the test out"),
            (&self.principal, principal, "the test filter leaves the principal out"),
            (&self.resource, resource, "the test filter leaves the resource out"),
        ]
        .into_iter()
        .find_map(|(globs, name, reason)| (!matches(globs, name)).then_some(reason))
    }

    pub(super) fn takes_action(&self, action: &str) -> bool {
        matches(&self.action, action)
    }
}

fn matches(globs: &[Glob], name: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_patterns_are_alternatives() {
        let filter =
            TestFilter::new(["principal=ann, bob*;ACTION=view:*", "suite=**;principal=eve"]).unwrap();
        for name in ["ann", "bobby", "eve"] {
            assert_eq!(filter.leaves_out("s", "t", name, "r"), None, "{name}");
        }
        assert_eq!(filter.leaves_out("s", "t", "joe", "r"), Some("the test filter leaves the principal out"));
        assert!(filter.takes_action("view:public"));
        assert!(!filter.takes_action("view"));
        let filter = TestFilter::new(["test=photo?;resource=*"]).unwrap();
        assert_eq!(filter.leaves_out("s", "photos", "p", "a:b"), None);
        assert!(filter.leaves_out("s", "photo", "p", "r").is_some());
        assert_eq!(TestFilter::new([" "]).unwrap().leaves_out("s", "t", "p", "r"), None);
    }

    #[test]
    fn what_cannot_be_read() {
        for (text, message) in [
            ("nope=x", "there is no part `nope`: there are suite, test, principal, resource and action"),
            ("suite", "`suite` is not of the form PART=PATTERN,PATTERN"),
            ("suite=,", "`suite=,` has no pattern"),
            (
                "suite=[",
                "the pattern `[` cannot be read: a set `[…]` is empty, not closed, or has a range that runs backwards",
            ),
        ] {
            assert_eq!(TestFilter::new([text]).unwrap_err().to_string(), message);
        }
    }
}
