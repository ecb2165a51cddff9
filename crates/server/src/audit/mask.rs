//! Values that are not to be seen in the audit log.

use serde::Serialize;
use serde_json::Value;

use super::path::{Shapes, Step};

const MASKED: &str = "[MASKED]";

/// Paths to what is replaced.
pub(super) struct Mask(Vec<Vec<Step>>);

impl Mask {
    /// Reads paths such as `inputs[*].principal.attr.email` or `peer.address`; says which is none, or leads nowhere, and why.
    pub(super) fn parse(paths: &[String]) -> Result<Self, (usize, String)> {
        if paths.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let shapes = Shapes::read();
        let read = |(index, path): (usize, &String)| shapes.steps(path).map_err(|why| (index, why));
        paths.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// An entry as JSON, without what is not to be seen.
    pub(super) fn serialize(&self, entry: &impl Serialize) -> Result<String, serde_json::Error> {
        if self.0.is_empty() {
            // As protobuf writes times. Before that of the entry there is no text that somebody else has written.
            return serde_json::to_string(entry).map(|text| text.replacen("+00:00\"", "Z\"", 1));
        }
        let mut value = serde_json::to_value(entry)?;
        if let Some(Value::String(time)) = value.get_mut("timestamp") {
            *time = time.replace("+00:00", "Z");
        }
        for path in &self.0 {
            mask(&mut value, path);
            // What is told of a check stands below its method.
            if let Some(method) = value.get_mut("checkResources") {
                mask(method, path);
            }
        }
        serde_json::to_string(&value)
    }
}

fn mask(value: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else {
        *value = MASKED.into();
        return;
    };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => {
            fields.get_mut(name).into_iter().for_each(|value| mask(value, rest));
        }
        (Step::Index(index), Value::Array(elements)) => {
            elements.get_mut(*index).into_iter().for_each(|value| mask(value, rest));
        }
        (Step::All, Value::Array(elements)) => elements.iter_mut().for_each(|value| mask(value, rest)),
        (Step::All, Value::Object(fields)) => fields.values_mut().for_each(|value| mask(value, rest)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn masked(paths: &[&str], value: &Value) -> Value {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let Ok(mask) = Mask::parse(&paths) else { panic!("{paths:?} is refused") };
        serde_json::from_str(&mask.serialize(value).unwrap()).unwrap()
    }

    #[test]
    fn what_is_named_is_replaced_and_nothing_else() {
        let entry = json!({
            "peer": {"address": "a"},
            "checkResources": {"inputs": [{"principal": {"id": "p", "attr": {"mail": "m", "age": 3}}}, {"principal": {}}]},
        });
        let expected = json!({
            "peer": {"address": "[MASKED]"},
            "checkResources": {"inputs": [{"principal": {"id": "p", "attr": {"mail": "[MASKED]", "age": 3}}}, {"principal": {}}]},
        });
        assert_eq!(
            masked(&["peer.address", "inputs[*].principal.attr.mail", "outputs[*].actions"], &entry),
            expected
        );
        assert_eq!(
            masked(&["inputs[0].principal[\"id\"]"], &entry)["checkResources"]["inputs"][0]["principal"]["id"],
            MASKED
        );
        assert_eq!(
            masked(&["inputs[1].principal"], &entry)["checkResources"]["inputs"][1]["principal"],
            MASKED
        );
    }
}
