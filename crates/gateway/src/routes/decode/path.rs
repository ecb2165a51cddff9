//! Paths of routes: segments as they are written, `{name}`, and at the end `{name*}`.

use orthrus::policy::decode::{Decoder, Object};
use orthrus::text::{Code, Diagnostic, Label, Span};
use orthrus::yaml::Text;

use super::super::Segment;

pub(super) struct Path {
    /// As it is written.
    pub(super) text: String,
    pub(super) place: Span,
    pub(super) segments: Vec<Segment>,
    /// The names of the segments that have one, in their order.
    pub(super) names: Vec<String>,
}

impl Path {
    /// Its named parts, for a hint.
    pub(super) fn parts(&self) -> String {
        let parts: Vec<String> = self.names.iter().map(|name| format!("`{{{name}}}`")).collect();
        if parts.is_empty() {
            return "the path has no `{name}`".to_owned();
        }
        format!("the path has {}", parts.join(", "))
    }
}

pub(super) fn path(decoder: &mut Decoder<'_>, object: &Object<'_>) -> Option<Path> {
    let Some(field) = object.get("path") else {
        decoder.missing(object, object.place, "path");
        return None;
    };
    let text = decoder.text(field)?;
    let Some(inner) = text.value.strip_prefix('/') else {
        let message = format!("`path` must begin with `/`, got {:?}", text.value);
        decoder.error(Code::InvalidValue, text.span, message);
        return None;
    };
    let parts: Vec<&str> = if inner.is_empty() { Vec::new() } else { inner.split('/').collect() };
    let mut segments = Vec::with_capacity(parts.len());
    let mut names: Vec<(String, Span)> = Vec::new();
    let mut start = 1;
    for (index, part) in parts.iter().enumerate() {
        let span = text.locate(Span::new(start, start + part.len()));
        start += part.len() + 1;
        match segment(part, index + 1 == parts.len()) {
            Some((segment, name)) => {
                segments.push(segment);
                names.extend(name.map(|name| (name.to_owned(), span)));
            }
            None => refuse(decoder, part, span),
        }
    }
    refuse_doubles(decoder, &names);
    let is_whole = segments.len() == parts.len();
    let Text { value, span: place, .. } = text;
    let names = names.into_iter().map(|(name, _)| name).collect();
    is_whole.then_some(Path { text: value, place, segments, names })
}

fn segment(part: &str, is_last: bool) -> Option<(Segment, Option<&str>)> {
    if let Some(inner) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        let (name, kind) = match inner.strip_suffix('*') {
            Some(name) if is_last => (name, Segment::Rest),
            Some(_) => return None,
            None => (inner, Segment::Name),
        };
        let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        return is_name.then_some((kind, Some(name)));
    }
    let is_plain =
        !matches!(part, "" | "." | "..") && !part.contains(['{', '}', '*', '%', '?', '#', '\\', ';']);
    is_plain.then(|| (Segment::Literal(part.to_owned()), None))
}

fn refuse(decoder: &mut Decoder<'_>, part: &str, span: Span) {
    let (message, hint) = if part.is_empty() {
        let hint = "leave it out: doubled and trailing slashes do not count";
        ("`path` has an empty segment".to_owned(), hint)
    } else {
        let hint = "write it plainly, as `{name}`, or at the end as `{name*}`";
        (format!("`path` has the segment {part:?}"), hint)
    };
    decoder.error_with_hint(Code::InvalidValue, span, message, hint.to_owned());
}

fn refuse_doubles(decoder: &mut Decoder<'_>, names: &[(String, Span)]) {
    for (index, (name, span)) in names.iter().enumerate() {
        let Some((_, first)) = names.iter().take(index).find(|(earlier, _)| earlier == name) else {
            continue;
        };
        let message = format!("`path` gives the name `{name}` to two segments");
        let error = Diagnostic::error(Code::InvalidValue, decoder.source, *span, message)
            .with_related(Label::new(decoder.source, *first).with_note("first given here"));
        decoder.diagnostics.push(error);
    }
}
