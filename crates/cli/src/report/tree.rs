//! A tree of lines, with branches drawn or only indented.

use super::palette::{Ink, Palette};

/// How a tree is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// With branches.
    Tree,
    /// Two spaces a level.
    List,
}

/// A line with what hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn new(text: impl Into<String>, children: Vec<Node>) -> Self {
        Self { text: text.into(), children }
    }

    pub(crate) fn leaf(text: impl Into<String>) -> Self {
        Self::new(text, Vec::new())
    }
}

/// Draws trees below each other.
pub(crate) fn draw(nodes: &[Node], style: Style, palette: Palette) -> String {
    let mut text = String::new();
    draw_below("", nodes, style, palette, &mut text);
    text
}

fn draw_below(indent: &str, nodes: &[Node], style: Style, palette: Palette, text: &mut String) {
    for (index, node) in nodes.iter().enumerate() {
        let is_last = index + 1 == nodes.len();
        let (branch, below) = match (style, is_last) {
            (Style::Tree, false) => ("├─", "│ "),
            (Style::Tree, true) => ("└─", "  "),
            (Style::List, _) => ("", "  "),
        };
        let fork = match style {
            Style::Tree if node.children.is_empty() => "─",
            Style::Tree => "┬",
            Style::List => "",
        };
        let before = match style {
            Style::Tree => palette.paint(Ink::Quiet, format_args!("{indent}{branch}{fork}")),
            Style::List => indent.to_owned(),
        };
        text.extend([&before, node.text.as_str(), "\n"]);
        draw_below(&format!("{indent}{below}"), &node.children, style, palette, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_and_indentation() {
        let tree = [
            Node::new("a", vec![Node::new("b", vec![Node::leaf("c")]), Node::leaf("d")]),
            Node::new("e", vec![Node::leaf("f")]),
        ];
        assert_eq!(
            draw(&tree, Style::Tree, Palette::new(false)),
            "├─┬a\n│ ├─┬b\n│ │ └──c\n│ └──d\n└─┬e\n  └──f\n"
        );
        assert_eq!(draw(&tree, Style::List, Palette::new(false)), "a\n  b\n    c\n  d\ne\n  f\n");
    }
}
