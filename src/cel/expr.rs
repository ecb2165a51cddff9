//! Expressions: parsed, checked and folded.

use super::ast::Node;
use super::check::check;
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
        fold(&mut root);
        Ok(Self { text: text.to_owned(), root, references })
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

    /// The type of the expression's value.
    #[must_use]
    pub fn result_type(&self) -> &Type {
        &self.root.ty
    }
}
