//! The colours of things, as the Cerbos command has them.

use std::fmt::Display;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// A heading.
    Heading,
    /// The name of a suite.
    Suite,
    /// A name: of a file, a test, a resource, an output.
    Name,
    /// The name of a principal.
    Principal,
    /// The name of an action.
    Action,
    /// Something good.
    Good,
    /// Something bad.
    Bad,
    /// Something odd.
    Odd,
    /// Something left out.
    Quiet,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    enabled: bool,
}

impl Palette {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    pub(crate) fn paint(self, ink: Ink, text: impl Display) -> String {
        if !self.enabled {
            return text.to_string();
        }
        // Select Graphic Rendition, ECMA-48.
        let code = match ink {
            Ink::Heading => "97;1",
            Ink::Suite => "34;1",
            Ink::Name => "34",
            Ink::Principal => "36",
            Ink::Action | Ink::Odd => "33",
            Ink::Good => "32",
            Ink::Bad => "31",
            Ink::Quiet => "90",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
