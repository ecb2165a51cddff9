//! Paths to what stands in an entry of the audit log, such as `inputs[*].principal.attr["tax.id"]` or `peer.address`.

use std::collections::BTreeMap;

use orthrus::text::nearest;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

use crate::proto::DESCRIPTORS;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Index(usize),
    /// All elements of a list, or all fields.
    All,
}

/// What a path may begin at: what is told of a check stands below its method.
const ROOTS: [&str; 3] = [
    ".cerbos.audit.v1.DecisionLogEntry.CheckResources",
    ".cerbos.audit.v1.DecisionLogEntry",
    ".cerbos.audit.v1.AccessLogEntry",
];

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() || steps.is_empty() {
        let step;
        (step, rest) = match rest.strip_prefix('[') {
            Some(inner) => bracketed(inner)?,
            None if steps.is_empty() => named(rest)?,
            None => named(rest.strip_prefix('.')?)?,
        };
        steps.push(step);
    }
    Some(steps)
}

/// A name, or `*`, and what follows it.
fn named(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((Step::All, rest));
    }
    let is_end = |char: char| char.is_whitespace() || ".[]*'\"".contains(char);
    let (name, rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
    (!name.is_empty()).then(|| (Step::Field(name.to_owned()), rest))
}

/// `*`, an index, or a name between quotes, a bracket, and what follows it.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    let (step, rest) = if let Some(rest) = text.strip_prefix('*') {
        (Step::All, rest)
    } else if text.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let name = strings.next()?.ok()?;
        (Step::Field(name), &text[strings.byte_offset()..])
    } else if let Some(quoted) = text.strip_prefix('\'') {
        let (name, rest) = quoted.split_once('\'')?;
        (Step::Field(name.to_owned()), rest)
    } else {
        let digits = text.find(|char: char| !char.is_ascii_digit())?;
        (Step::Index(text[..digits].parse().ok()?), &text[digits..])
    };
    Some((step, rest.strip_prefix(']')?))
}

/// The messages that are logged, by their names.
pub(super) struct Shapes(BTreeMap<String, DescriptorProto>);

/// What stands somewhere in an entry.
#[derive(Clone, Copy)]
enum Shape<'a> {
    One(Item<'a>),
    List(Item<'a>),
    /// An object whose fields anybody may name.
    Map(Item<'a>),
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Message(&'a DescriptorProto),
    /// What applications send.
    Anything,
    /// A string, a number and the like.
    Scalar,
}

impl Shapes {
    pub(super) fn read() -> Self {
        fn add(into: &mut BTreeMap<String, DescriptorProto>, scope: &str, messages: Vec<DescriptorProto>) {
            for mut message in messages {
                let name = format!("{scope}.{}", message.name());
                add(into, &name, std::mem::take(&mut message.nested_type));
                into.insert(name, message);
            }
        }
        let mut messages = BTreeMap::new();
        // The build has written them.
        for file in FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default().file {
            let scope = format!(".{}", file.package());
            add(&mut messages, &scope, file.message_type);
        }
        Self(messages)
    }

    /// The steps of a path. Says why it is none, or why no entry can have what it leads to.
    pub(super) fn steps(&self, path: &str) -> Result<Vec<Step>, String> {
        let steps = parse(path)
            .ok_or_else(|| format!("`{path}` is no path, such as inputs[*].principal.attr.email"))?;
        self.check(&steps).map_err(|why| format!("`{path}`: {why}"))?;
        Ok(steps)
    }

    /// Says what is wrong with a path where it gets farthest.
    fn check(&self, steps: &[Step]) -> Result<(), String> {
        let roots: Vec<&DescriptorProto> = ROOTS.iter().filter_map(|name| self.0.get(*name)).collect();
        let mut farthest: Option<(usize, String)> = None;
        for root in &roots {
            match self.walk(root, steps) {
                Ok(()) => return Ok(()),
                Err((depth, why)) => {
                    if farthest.as_ref().is_none_or(|(reached, _)| depth > *reached) {
                        farthest = Some((depth, why));
                    }
                }
            }
        }
        match (steps.first(), farthest) {
            (Some(Step::Field(name)), Some((0, _))) => Err(unknown(name, &roots)),
            (_, farthest) => Err(farthest.map(|(_, why)| why).unwrap_or_default()),
        }
    }

    fn walk<'a>(&'a self, root: &'a DescriptorProto, steps: &[Step]) -> Result<(), (usize, String)> {
        let mut shape = Shape::One(Item::Message(root));
        for (depth, step) in steps.iter().enumerate() {
            let wrong = |why: String| Err((depth, why));
            shape = match (shape, step) {
                (Shape::One(Item::Anything), _) | (Shape::One(Item::Message(_)), Step::All) => {
                    Shape::One(Item::Anything)
                }
                (Shape::List(item), Step::Index(_) | Step::All) => Shape::One(item),
                (Shape::List(_), Step::Field(name)) => {
                    return wrong(format!("`{name}` is in each item of a list: write [*] before it"));
                }
                (Shape::Map(item), Step::Field(_) | Step::All) => Shape::One(item),
                (Shape::One(Item::Message(message)), Step::Field(name)) => match self.field(message, name) {
                    Some(shape) => shape,
                    None => return wrong(unknown(name, &[message])),
                },
                (Shape::One(Item::Message(_)) | Shape::Map(_), Step::Index(index)) => {
                    return wrong(format!("[{index}] is for lists, and there is none"));
                }
                (Shape::One(Item::Scalar), _) => {
                    return wrong("there is nothing below a text or a number".to_owned());
                }
            };
        }
        Ok(())
    }

    fn field<'a>(&'a self, message: &'a DescriptorProto, name: &str) -> Option<Shape<'a>> {
        let field = message.field.iter().find(|field| field.json_name() == name)?;
        let is_list = field.label() == Label::Repeated;
        let shaped = |item| if is_list { Shape::List(item) } else { Shape::One(item) };
        if field.r#type() != Type::Message {
            return Some(shaped(Item::Scalar));
        }
        let Some(message) = self.0.get(field.type_name()) else { return Some(Shape::One(Item::Anything)) };
        if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            return Some(match self.field(message, "value")? {
                Shape::One(item) => Shape::Map(item),
                Shape::List(_) | Shape::Map(_) => Shape::Map(Item::Anything),
            });
        }
        // What protobuf itself defines is not written as a message.
        let is_own = !field.type_name().starts_with(".google.protobuf.");
        let item = match field.type_name() {
            ".google.protobuf.Timestamp" => Item::Scalar,
            _ if is_own => Item::Message(message),
            _ => Item::Anything,
        };
        Some(shaped(item))
    }
}

fn unknown(name: &str, messages: &[&DescriptorProto]) -> String {
    let mut known: Vec<&str> = messages
        .iter()
        .flat_map(|message| message.field.iter().map(prost_types::FieldDescriptorProto::json_name))
        .collect();
    known.sort_unstable();
    known.dedup();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no `{name}`; did you mean `{near}`?"),
        None => format!("there is no `{name}`; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_entries_can_have() {
        let shapes = Shapes::read();
        for path in [
            "inputs[*].principal.attr.email",
            "inputs[0].principal[\"id\"]",
            "inputs[*].principal.attr[\"tax.id\"]",
            "inputs[*].resource.attr['tax id'].a[3].*",
            "inputs[*].auxData.jwt.email",
            "inputs[*].auxData",
            "inputs[*].*",
            "outputs[*].outputs[*].val",
            "outputs[*].actions.*.effect",
            "checkResources.inputs[*].principal.attr",
            "peer.address",
            "peer",
            "metadata.x-request-id",
            "metadata[\"x-request-id\"].values[0]",
            "requestContext.annotations.user",
            "auditTrail.effectivePolicies",
            "callId",
        ] {
            assert!(shapes.steps(path).is_ok(), "{path}: {:?}", shapes.steps(path));
        }
    }

    #[test]
    fn what_is_no_path_or_leads_nowhere() {
        let shapes = Shapes::read();
        for (path, why) in [
            ("", "is no path"),
            (".a", "is no path"),
            ("a..b", "is no path"),
            ("inputs[1", "is no path"),
            ("inputs[1]actions", "is no path"),
            ("inputs[x]", "is no path"),
            ("inputs[*].principle.attr", "there is no `principle`; did you mean `principal`?"),
            ("inputs.principal", "`principal` is in each item of a list: write [*] before it"),
            ("checkResources.input[*]", "did you mean `inputs`?"),
            ("peer.adress", "did you mean `address`?"),
            ("inpts[*]", "did you mean `inputs`?"),
            ("none", "there is no `none`; there are auditTrail, callId"),
            ("peer[0]", "[0] is for lists"),
            ("timestamp.seconds", "nothing below"),
        ] {
            let Err(told) = shapes.steps(path) else { panic!("{path} is taken") };
            assert!(told.contains(why), "{path}: {told}");
        }
    }
}
