//! Routes that stand for the same requests: which of them counts would depend on their order.

use orthrus::policy::decode::Decoder;
use orthrus::text::{Code, Diagnostic, Label, Span};

use super::{Route, is_host};

/// Reports each route that an earlier one rivals. The routes come with the places of their paths, in the order of the file.
pub(super) fn refuse(decoder: &mut Decoder<'_>, routes: &[(Route, Span)]) {
    let mut by_segments: Vec<&(Route, Span)> = routes.iter().collect();
    by_segments.sort_by(|(one, _), (other, _)| one.segments.cmp(&other.segments));
    for alike in by_segments.chunk_by(|(one, _), (other, _)| one.segments == other.segments) {
        for (index, (route, place)) in alike.iter().enumerate() {
            let earlier = alike.iter().take(index);
            let Some((rival, first)) = earlier.copied().find(|(earlier, _)| are_rivals(earlier, route))
            else {
                continue;
            };
            let message = format!("this route stands for the same requests as `{}`", rival.path);
            let error = Diagnostic::error(Code::RivalRoutes, decoder.source, *place, message)
                .with_related(Label::new(decoder.source, *first).with_note("the other one"))
                .with_hint("give both methods or hosts that the other does not have");
            decoder.diagnostics.push(error);
        }
    }
}

fn are_rivals(one: &Route, other: &Route) -> bool {
    meet(one.methods.as_deref(), other.methods.as_deref(), |one, other| one == other)
        && meet(one.hosts.as_deref(), other.hosts.as_deref(), |one, other| {
            is_host(one, other) || is_host(other, one)
        })
}

fn meet(one: Option<&[String]>, other: Option<&[String]>, is_same: impl Fn(&str, &str) -> bool) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    one.iter().any(|left| other.iter().any(|right| is_same(left, right)))
}
