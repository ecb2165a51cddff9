//! Events → nodes, within limits.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle};

use super::syntax::{self, Stopped};
use super::{Entry, Kind, Node, Scalar, Style, merge};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Source, Span};

/// Limits on one text. Policies written by people stay far below the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Length of the text in bytes. Default: 4 MiB.
    pub bytes: usize,
    /// Collections nested in each other. Default: 64.
    pub depth: usize,
    /// Values after each alias is replaced by what it stands for; what an anchor names counts once more,
    /// because a copy is kept for the aliases. Default: 100,000.
    pub nodes: usize,
    /// Mistakes after which reading stops. Default: 100.
    pub errors: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 64, nodes: 100_000, errors: 100 }
    }
}

impl Budget {
    pub(super) fn too_deep(&self, source: &Source, span: Span) -> Diagnostic {
        let message = format!("nested deeper than {} levels", self.depth);
        Diagnostic::error(Code::TooLarge, source, span, message)
    }

    /// Whether as many errors are reported as may be.
    pub(crate) fn is_spent(&self, diagnostics: &Diagnostics) -> bool {
        diagnostics.iter().len() >= self.errors
    }

    fn too_many_nodes(&self, source: &Source, span: Span) -> Diagnostic {
        let message = format!("more than {} values, counting what aliases stand for", self.nodes);
        Diagnostic::error(Code::TooLarge, source, span, message)
    }

    fn too_long(&self, source: &Source) -> Diagnostic {
        let message = format!("the file is longer than {} bytes", self.bytes);
        Diagnostic::error(Code::TooLarge, source, Span::at(0), message)
    }
}

/// Reads a stream of YAML documents; a document without any content is left out.
///
/// # Errors
/// The first syntax error or exceeded limit, and everything found before it: duplicate keys, unknown
/// aliases, anchors defined twice, merges of what is no mapping.
pub fn parse<'s>(source: &'s Source, budget: &Budget) -> Result<Vec<Node<'s>>, Diagnostics> {
    if source.text().len() > budget.bytes {
        return Err(budget.too_long(source).into());
    }
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        // As the PDP does.
        block_scalar_eof_without_line_feed: true,
        // The scanner reads ahead of the events, so that it has to know the limit as well.
        flow_nesting_limit: budget.depth,
        block_nesting_limit: budget.depth,
    };
    let mut builder = Builder::new(source, budget);
    let parser = Parser::new_from_str_with_options(source.text(), options);
    // What stops the builder is among its diagnostics.
    let _ = builder.read(parser);
    if builder.diagnostics.is_empty() { Ok(builder.documents) } else { Err(builder.diagnostics) }
}

struct Builder<'s, 'b> {
    source: &'s Source,
    budget: &'b Budget,
    documents: Vec<Node<'s>>,
    /// The collections that are open, outermost first.
    open: Vec<Frame<'s>>,
    /// By name. Like the PDP, anchors are kept from one document to the next.
    anchors: HashMap<String, Anchor<'s>>,
    /// Nodes made so far.
    nodes: usize,
    /// Offset after the last thing read.
    cursor: usize,
    diagnostics: Diagnostics,
}

struct Frame<'s> {
    span: Span,
    flow: bool,
    anchor: Option<AnchorName<'s>>,
    /// The builder's count of nodes before this collection.
    nodes_before: usize,
    /// Depth of the deepest child.
    depth: usize,
    content: Content<'s>,
}

enum Content<'s> {
    Sequence(Vec<Node<'s>>),
    Mapping { entries: Vec<Entry<'s>>, key: Option<Node<'s>> },
}

/// Nothing that follows can or may be read; why, is reported.
struct Stop;

/// What an anchor stands for.
struct Anchor<'s> {
    node: Node<'s>,
    span: Span,
    nodes: usize,
    depth: usize,
}

struct AnchorName<'s> {
    name: Cow<'s, str>,
    span: Span,
}

type Events<'s> = Parser<'s, StrInput<'s>>;

impl<'s, 'b> Builder<'s, 'b> {
    fn new(source: &'s Source, budget: &'b Budget) -> Self {
        Self {
            source,
            budget,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            cursor: 0,
            diagnostics: Diagnostics::new(),
        }
    }

    fn stop(&mut self, fatal: Diagnostic) -> Stop {
        self.diagnostics.push(fatal);
        Stop
    }

    fn next(&mut self, events: &mut Events<'s>) -> Result<Option<(Event<'s>, Span)>, Stop> {
        match events.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or(self.cursor..self.cursor);
                Ok(Some((event, Span::new(range.start, range.end))))
            }
            Some(Err(error)) => {
                let bracket = self.open.last().filter(|frame| frame.flow).map(|frame| frame.span);
                let stopped = Stopped { cursor: self.cursor, bracket };
                Err(self.stop(syntax::diagnostic(&error, self.source, &stopped, self.budget)))
            }
        }
    }

    fn read(&mut self, mut events: Events<'s>) -> Result<(), Stop> {
        while let Some((event, span)) = self.next(&mut events)? {
            match event {
                Event::Scalar(text, style, anchor, _tag) => {
                    let anchor = self.anchor_name(anchor, &mut events)?;
                    let node = self.scalar(text, style, span);
                    self.count(1, span)?;
                    self.finish(node, anchor, 1, 0)?;
                }
                Event::SequenceStart(style, anchor, _tag) => {
                    let anchor = self.anchor_name(anchor, &mut events)?;
                    self.begin(Content::Sequence(Vec::new()), span, style, anchor)?;
                }
                Event::MappingStart(style, anchor, _tag) => {
                    let anchor = self.anchor_name(anchor, &mut events)?;
                    self.begin(Content::Mapping { entries: Vec::new(), key: None }, span, style, anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
                Event::Alias(_) | Event::UnresolvedAlias(_) => self.alias(span)?,
                _ => {}
            }
            self.cursor = self.cursor.max(span.end as usize);
            if self.budget.is_spent(&self.diagnostics) {
                return Err(Stop);
            }
        }
        Ok(())
    }

    /// The anchor of the node whose event was just read: the parser says its name in the next event.
    fn anchor_name(&mut self, id: usize, events: &mut Events<'s>) -> Result<Option<AnchorName<'s>>, Stop> {
        if id == 0 {
            return Ok(None);
        }
        match self.next(events)? {
            Some((Event::Anchor(_, name), span)) => Ok(Some(AnchorName { name, span })),
            _ => Ok(None),
        }
    }

    fn scalar(&self, text: Cow<'s, str>, style: ScalarStyle, span: Span) -> Node<'s> {
        let (style, text) = match style {
            // The parser says `~` where nothing is written.
            ScalarStyle::Plain if span.range().is_empty() => (Style::Absent, Cow::Borrowed("")),
            ScalarStyle::Plain => (Style::Plain, text),
            ScalarStyle::SingleQuoted => (Style::SingleQuoted, text),
            ScalarStyle::DoubleQuoted => (Style::DoubleQuoted, text),
            ScalarStyle::Literal => (Style::Literal, text),
            ScalarStyle::Folded => (Style::Folded, text),
        };
        let span = match style {
            Style::Literal | Style::Folded => self.block_span(span),
            _ => span,
        };
        Node { span, kind: Kind::Scalar(Scalar { text, style }) }
    }

    /// The span of a block scalar with its header: the parser's starts at the first line's content, and
    /// includes the indentation of the line that follows the last.
    fn block_span(&self, span: Span) -> Span {
        let text = self.source.text();
        let start = block_header(text, self.cursor, span.start as usize).unwrap_or(span.start as usize);
        let length = text.get(start..span.end as usize).map_or(0, |slice| slice.trim_end().len());
        Span::new(start, start + length)
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.budget.nodes {
            return Err(self.stop(self.budget.too_many_nodes(self.source, span)));
        }
        Ok(())
    }

    fn begin(
        &mut self,
        content: Content<'s>,
        span: Span,
        style: StructureStyle,
        anchor: Option<AnchorName<'s>>,
    ) -> Result<(), Stop> {
        if self.open.len() >= self.budget.depth {
            return Err(self.stop(self.budget.too_deep(self.source, span)));
        }
        let nodes_before = self.nodes;
        self.count(1, span)?;
        let flow = style == StructureStyle::Flow;
        self.open.push(Frame { span, flow, anchor, nodes_before, depth: 0, content });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Result<(), Stop> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let (kind, last) = match frame.content {
            Content::Sequence(nodes) => {
                let last = nodes.last().map(|node| node.span);
                (Kind::Sequence(nodes), last)
            }
            Content::Mapping { entries, .. } => {
                let last = entries.last().map(|entry| entry.key.span.to(entry.value.span));
                merge::report_duplicates(&entries, self.source, self.budget, &mut self.diagnostics);
                (Kind::Mapping(merge::merge(entries, self.source, &mut self.diagnostics)), last)
            }
        };
        // A block collection ends with its last child; the parser's end event stands at the next token.
        let end = if frame.flow { end.end } else { last.map_or(frame.span.end, |last| last.end) };
        let span = Span { start: frame.span.start, end: end.max(frame.span.start) };
        let nodes = self.nodes - frame.nodes_before;
        self.finish(Node { span, kind }, frame.anchor, nodes, frame.depth + 1)
    }

    fn alias(&mut self, span: Span) -> Result<(), Stop> {
        let name = self.source.slice(span).trim_start_matches('*');
        let Some(anchor) = self.anchors.get(name) else {
            let message = format!("alias `*{name}` refers to an anchor that is not defined before it");
            let diagnostic = Diagnostic::error(Code::UnknownAlias, self.source, span, message);
            self.diagnostics.push(diagnostic);
            let kind = Kind::Scalar(Scalar { text: Cow::Borrowed(""), style: Style::Absent });
            return self.finish(Node { span, kind }, None, 1, 0);
        };
        if self.open.len() + anchor.depth > self.budget.depth {
            return Err(self.stop(self.budget.too_deep(self.source, span)));
        }
        let (nodes, depth) = (anchor.nodes, anchor.depth);
        // Counted before it is copied, so that a bomb costs nothing.
        if self.nodes.saturating_add(nodes) > self.budget.nodes {
            return Err(self.stop(self.budget.too_many_nodes(self.source, span)));
        }
        let mut node = anchor.node.clone();
        if !matches!(node.kind, Kind::Scalar(_)) {
            node.span = span;
        }
        self.count(nodes, span)?;
        self.finish(node, None, nodes, depth)
    }

    /// Gives a complete node to the collection it belongs to, and to its anchor.
    fn finish(
        &mut self,
        node: Node<'s>,
        anchor: Option<AnchorName<'s>>,
        nodes: usize,
        depth: usize,
    ) -> Result<(), Stop> {
        if let Some(AnchorName { name, span }) = anchor {
            self.count(nodes, span)?;
            self.define(&name, Anchor { node: node.clone(), span, nodes, depth });
        }
        let Some(frame) = self.open.last_mut() else {
            if !matches!(&node.kind, Kind::Scalar(scalar) if scalar.style == Style::Absent) {
                self.documents.push(node);
            }
            return Ok(());
        };
        frame.depth = frame.depth.max(depth);
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key } => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push(Entry { key, value: node, merges: 0 }),
            },
        }
        Ok(())
    }

    /// YAML lets an anchor be defined again; the PDP does not.
    fn define(&mut self, name: &str, anchor: Anchor<'s>) {
        if let Some(first) = self.anchors.get(name) {
            let message = format!("anchor `&{name}` is already defined");
            let first = Label::new(self.source, first.span).with_note("first defined here");
            let diagnostic = Diagnostic::error(Code::DuplicateKey, self.source, anchor.span, message);
            self.diagnostics.push(diagnostic.with_related(first));
        } else {
            self.anchors.insert(name.to_owned(), anchor);
        }
    }
}

/// The offset of the `|` or `>` between two offsets, past indicators, comments, anchors and tags.
fn block_header(text: &str, from: usize, to: usize) -> Option<usize> {
    let between = text.get(from..to)?;
    let mut at = 0;
    while let Some(byte) = between.as_bytes().get(at) {
        let rest = &between[at..];
        at += match byte {
            b'|' | b'>' => return Some(from + at),
            b'#' => rest.find('\n').unwrap_or(rest.len()),
            b'&' | b'!' => rest.find(char::is_whitespace).unwrap_or(rest.len()),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::yaml::Resolved;

    /// A document in one line: scalars in quotes where they are strings.
    fn show(node: &Node<'_>) -> String {
        let join = |parts: Vec<String>| parts.join(", ");
        match &node.kind {
            Kind::Scalar(scalar) if scalar.resolve() == Resolved::String => format!("{:?}", scalar.text),
            Kind::Scalar(scalar) => scalar.text.to_string(),
            Kind::Sequence(nodes) => format!("[{}]", join(nodes.iter().map(show).collect())),
            Kind::Mapping(entries) => {
                let entry = |entry: &Entry<'_>| format!("{}: {}", show(&entry.key), show(&entry.value));
                format!("{{{}}}", join(entries.iter().map(entry).collect()))
            }
        }
    }

    fn shown(text: &str) -> String {
        let source = Source::new("test.yaml", text);
        let documents = parse(&source, &Budget::default()).unwrap();
        documents.iter().map(show).collect::<Vec<_>>().join(" --- ")
    }

    fn errors(text: &str, budget: &Budget) -> Vec<(Code, String)> {
        let source = Source::new("test.yaml", text);
        let errors = parse(&source, budget).unwrap_err();
        let place = |error: &Diagnostic| error.label.as_ref().unwrap().start.to_string();
        errors.iter().map(|error| (error.code, place(error))).collect()
    }

    fn default_errors(text: &str) -> Vec<(Code, String)> {
        errors(text, &Budget::default())
    }

    #[test]
    fn reads_yaml_and_json_alike() {
        assert_eq!(shown("a: 1\nb: [x, 'y', \"z\"]\nc:\n"), r#"{"a": 1, "b": ["x", "y", "z"], "c": }"#);
        assert_eq!(shown("{\n\t\"a\": \"\\u00e9\\/\\ud83d\\ude00\"\n}"), r#"{"a": "é/😀"}"#);
        assert_eq!(shown("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), r#"{"a": "x\ny\n", "b": "x y"}"#);
        assert_eq!(shown("a: !!str 1\nb: !custom x\n"), r#"{"a": 1, "b": "x"}"#);
        assert_eq!(shown("\u{feff}a: b\r\nc: d\r\n"), r#"{"a": "b", "c": "d"}"#);
    }

    #[test]
    fn a_block_at_the_end_of_the_file_has_no_line_break_of_its_own() {
        assert_eq!(shown("a: |\n  x"), r#"{"a": "x"}"#);
        assert_eq!(shown("a: |\n  x\n"), r#"{"a": "x\n"}"#);
    }

    #[test]
    fn documents_without_content_are_left_out() {
        assert_eq!(shown(""), "");
        assert_eq!(shown("# only a comment\n"), "");
        assert_eq!(shown("# c\n---\na: b\n---\n"), r#"{"a": "b"}"#);
        assert_eq!(shown("---\n---\na: b\n...\n# end\n"), r#"{"a": "b"}"#);
        assert_eq!(shown("a\n---\n~\n"), r#""a" --- ~"#);
    }

    #[test]
    fn aliases_stand_for_what_was_anchored() {
        assert_eq!(shown("a: &x [1, 2]\nb: *x\n"), r#"{"a": [1, 2], "b": [1, 2]}"#);
        assert_eq!(shown("a: &x v\n---\nb: *x\n"), r#"{"a": "v"} --- {"b": "v"}"#);
        assert_eq!(default_errors("a: *x\nb: &x 1\n"), [(Code::UnknownAlias, "1:4".to_owned())]);
        assert_eq!(default_errors("a: &x [*x]\n"), [(Code::UnknownAlias, "1:8".to_owned())]);
        assert_eq!(default_errors("a: &x 1\nb: &x 2\n"), [(Code::DuplicateKey, "2:4".to_owned())]);
    }

    #[test]
    fn merge_keys_give_way_to_what_stands_in_the_mapping() {
        let base = "b: &b {x: 1, y: 2}\nc: &c {y: 3, z: 4}\n";
        let merged =
            |text: &str| shown(&format!("{base}{text}")).split_once(r#""d": "#).unwrap().1.to_owned();
        assert_eq!(merged("d:\n  <<: *b\n  y: 9\n"), r#"{"y": 9, "x": 1}}"#);
        assert_eq!(merged("d:\n  y: 9\n  <<: *b\n"), r#"{"y": 9, "x": 1}}"#);
        assert_eq!(merged("d:\n  <<: [*b, *c]\n"), r#"{"x": 1, "y": 2, "z": 4}}"#);
        assert_eq!(merged("d:\n  <<: {<<: *b, y: 5}\n"), r#"{"y": 5, "x": 1}}"#);
        assert_eq!(merged("d: {\"<<\": *b}\n"), r#"{"<<": {"x": 1, "y": 2}}}"#);
        assert_eq!(default_errors("a: &a 1\nb: {<<: *a}\n"), [(Code::WrongType, "1:7".to_owned())]);
        assert_eq!(
            default_errors("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n"),
            [(Code::DuplicateKey, "4:3".to_owned())]
        );
    }

    #[test]
    fn entries_know_through_how_many_merges_they_came() {
        let source = Source::new("test.yaml", "- &a {x: 1}\n- &b {<<: *a, y: 1}\n- {<<: *b, z: 1}\n");
        let documents = parse(&source, &Budget::default()).unwrap();
        let Kind::Sequence(items) = &documents[0].kind else { panic!("a list") };
        let Kind::Mapping(entries) = &items[2].kind else { panic!("a mapping") };
        let merges: Vec<_> = entries.iter().map(|entry| (show(&entry.key), entry.merges)).collect();
        assert_eq!(merges, [("\"z\"".to_owned(), 0), ("\"y\"".to_owned(), 1), ("\"x\"".to_owned(), 2)]);
    }

    #[test]
    fn every_repeated_key_is_reported() {
        let duplicate = |place: &str| (Code::DuplicateKey, place.to_owned());
        assert_eq!(default_errors("a: 1\n\"a\": 2\n'a': 3\n"), [duplicate("2:1"), duplicate("3:1")]);
        let many: String = (0..20).map(|key| format!("k{key}: 1\n")).collect();
        assert_eq!(default_errors(&format!("{many}k3: 2\n")), [duplicate("21:1")]);
    }

    #[test]
    fn spans_cover_what_is_written() {
        let text = "a: 'x'\nb: |\n  y\n\nc:\n  - 1\n  - {k: v}\nd: 2\n";
        let source = Source::new("test.yaml", text);
        let documents = parse(&source, &Budget::default()).unwrap();
        assert_eq!(source.slice(documents[0].span), text.trim_end());
        let Kind::Mapping(entries) = &documents[0].kind else { panic!("a mapping") };
        let values: Vec<_> = entries.iter().map(|entry| source.slice(entry.value.span)).collect();
        assert_eq!(values, ["'x'", "|\n  y", "- 1\n  - {k: v}", "2"]);
    }

    #[test]
    fn block_scalars_start_at_their_header() {
        let text = "- &a !t | # x > y\n  v\n- # |\n  >+\n  w\n\n- ? |\n   k\n  : |2-\n     i\n";
        let source = Source::new("test.yaml", text);
        let documents = parse(&source, &Budget::default()).unwrap();
        let Kind::Sequence(items) = &documents[0].kind else { panic!("a list") };
        assert_eq!(source.slice(items[0].span), "| # x > y\n  v");
        assert_eq!(source.slice(items[1].span), ">+\n  w");
        let Kind::Mapping(entries) = &items[2].kind else { panic!("a mapping") };
        assert_eq!(source.slice(entries[0].key.span), "|\n   k");
        assert_eq!(source.slice(entries[0].value.span), "|2-\n     i");
    }

    #[test]
    fn each_limit_is_held_where_it_is_exceeded() {
        let budget = Budget { bytes: 40, depth: 3, nodes: 8, errors: 2 };
        assert!(parse(&Source::new("t", "[[[1]]]"), &budget).is_ok());
        assert_eq!(errors("[[[[1]]]]", &budget), [(Code::TooLarge, "1:4".to_owned())]);
        assert_eq!(errors("a:\n b:\n  c:\n   d: 1\n", &budget), [(Code::TooLarge, "4:4".to_owned())]);
        assert_eq!(errors("- - - - 1\n", &budget), [(Code::TooLarge, "1:7".to_owned())]);
        assert_eq!(errors("- &a [[1]]\n- [*a]\n", &budget), [(Code::TooLarge, "2:4".to_owned())]);
        assert_eq!(errors("[1, 2, 3, 4, 5, 6, 7, 8]", &budget), [(Code::TooLarge, "1:23".to_owned())]);
        assert_eq!(errors(&" ".repeat(41), &budget), [(Code::TooLarge, "1:1".to_owned())]);
        assert_eq!(errors("[*a, *a, *a]", &budget).len(), 2);
        assert_eq!(errors("{a, a, a, b}", &Budget { errors: 1, nodes: 20, ..budget }).len(), 1);
        assert_eq!(default_errors(&"[".repeat(100_000)), [(Code::TooLarge, "1:65".to_owned())]);
        let deep: String = (0..300).map(|level| format!("{}k:\n", " ".repeat(level))).collect();
        assert_eq!(default_errors(&deep), [(Code::TooLarge, "65:65".to_owned())]);
    }

    #[test]
    fn an_alias_bomb_is_refused_at_once() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let start = Instant::now();
        assert_eq!(default_errors(&bomb)[0].0, Code::TooLarge);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[test]
    fn syntax_errors_point_at_the_mistake() {
        for (text, place) in [
            ("a: b\n\tc: d\n", "2:1"),
            ("a:\n\t- b\n", "2:1"),
            ("a: \"x\" in y\n", "1:4"),
            ("a: 'x' in y\n", "1:4"),
            ("a: \"x\n", "1:4"),
            ("a: [1, 2\nb: 3\n", "2:2"),
            ("a: [1, 2\n", "1:4"),
            ("{\"a\": 1\n \"b\": 2}", "2:5"),
            ("{\"a\": 1,\n \"b\" 2}", "2:6"),
            ("a: [1}\n", "1:4"),
            ("- a\nb: 1\n", "2:1"),
            ("a:\n  b! c\n  d:\n", "3:4"),
            ("a: 1\nb\nc: 2\n", "2:1"),
            ("a: \"\\q\"\n", "1:4"),
            ("a: @x\n", "1:4"),
        ] {
            assert_eq!(default_errors(text), [(Code::Syntax, place.to_owned())], "{text:?}");
        }
    }
}
