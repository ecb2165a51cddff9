//! Expressions: parsed, checked and folded.

use std::borrow::Cow;

use super::ast::Node;
use super::check::check;
use super::failing::failing;
use super::fold::fold;
use super::parser::parse;
use super::references::References;
use super::validate::validate;
use super::{Declarations, Type};
use crate::text::{Code, Span};

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// [`Code::ExpressionSyntax`] or [`Code::ExpressionType`].
    pub code: Code,
    /// Where, in the expression's text.
    pub span: Span,
    /// What, in cel-go's words.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// An expression that is known to be well-formed and well-typed.
#[derive(Clone, Debug)]
pub struct Expr {
    text: String,
    root: Node,
    references: References,
    /// Whether the tree is also folded where the PDP evaluates it.
    is_folded: bool,
    failure: Option<Issue>,
}

impl Expr {
    /// Parses, checks and folds the text of an expression.
    ///
    /// # Errors
    /// What is wrong, in the order of the text: one syntax error, or all type errors.
    pub fn parse(text: &str) -> Result<Self, Vec<Issue>> {
        Self::parse_with(text, &Declarations::default())
    }

    /// [`parse`](Self::parse) with identifiers beyond the roots.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &str, declarations: &Declarations) -> Result<Self, Vec<Issue>> {
        let mut root = parse(text)?;
        let mut issues = check(&mut root, declarations);
        if issues.is_empty() {
            issues = validate(&root);
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        let references = References::of(&root);
        let as_written = failing(&root);
        fold(&mut root);
        // As in the PDP, an expression is not folded where the time is read, or where that makes a mistake of it.
        let is_folded = !references.now && validate(&root).is_empty();
        let failure = if is_folded { failing(&root) } else { as_written };
        Ok(Self { text: text.to_owned(), root, references, is_folded, failure })
    }

    /// The text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The checked and folded tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// What the expression reads, as it was written (before folding).
    #[must_use]
    pub fn references(&self) -> &References {
        &self.references
    }

    /// What the expression still reads when it is evaluated, where that is not what was written.
    pub(crate) fn evaluated_references(&self) -> Cow<'_, References> {
        if self.is_folded { Cow::Owned(References::of(&self.root)) } else { Cow::Borrowed(&self.references) }
    }

    /// A constant that fails before anything is evaluated, as [`Code::ExpressionConstant`] with the error as its
    /// message: the expression can only give this error.
    #[must_use]
    pub fn failure(&self) -> Option<&Issue> {
        self.failure.as_ref()
    }

    /// The type of the expression's value.
    #[must_use]
    pub fn result_type(&self) -> &Type {
        &self.root.ty
    }
}
