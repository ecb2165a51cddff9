//! An order of JSON values, so that equal items of a long list are found without comparing each with each.

use std::cmp::Ordering;

use crate::cel::{List, Map, Value};

/// Up to this many items, each is compared with each; past it they are sorted.
const COMPARE_PAIRS: usize = 16;

/// The first two items that are equal: of all second occurrences the first, with where the item stood before.
pub(super) fn first_repetition(list: List<'_>) -> Option<(usize, usize)> {
    if list.len() <= COMPARE_PAIRS { first_repetition_of_few(list) } else { first_repetition_of_many(list) }
}

fn first_repetition_of_few(list: List<'_>) -> Option<(usize, usize)> {
    list.iter().enumerate().find_map(|(second, item)| {
        let first = list.iter().take(second).position(|earlier| compare(earlier, item).is_eq())?;
        Some((first, second))
    })
}

fn first_repetition_of_many(list: List<'_>) -> Option<(usize, usize)> {
    let mut items: Vec<(usize, Value<'_>)> = list.iter().enumerate().collect();
    // A stable sort: equal items stay in the order of the list.
    items.sort_by(|(_, a), (_, b)| compare(*a, *b));
    let mut first: Option<(usize, usize)> = None;
    let mut start = 0;
    for at in 1..items.len() {
        if compare(items[at - 1].1, items[at].1) != Ordering::Equal {
            start = at;
        } else if at == start + 1 && first.is_none_or(|(_, second)| items[at].0 < second) {
            first = Some((items[start].0, items[at].0));
        }
    }
    first
}

fn compare(a: Value<'_>, b: Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::List(a), Value::List(b)) => compare_lists(a, b),
        (Value::Map(a), Value::Map(b)) => compare_maps(a, b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: Value<'_>) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Double(_) => 2,
        Value::String(_) => 3,
        Value::List(_) => 4,
        _ => 5,
    }
}

fn compare_lists(a: List<'_>, b: List<'_>) -> Ordering {
    let items = a.iter().zip(b.iter()).map(|(a, b)| compare(a, b));
    items.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Fields of attributes are sorted by name.
fn compare_maps(a: Map<'_>, b: Map<'_>) -> Ordering {
    let fields = a.iter().zip(b.iter());
    let mut orders = fields.map(|((a_key, a), (b_key, b))| compare(a_key, b_key).then_with(|| compare(a, b)));
    orders.find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;
    use serde::de::DeserializeSeed;

    use super::*;
    use crate::cel::ValueSeed;

    #[test]
    fn finds_the_first_item_that_stood_before() {
        let cases = [
            ("[]", None),
            ("[1,2,\"1\",true,null,[1],[2],{},{\"a\":1},{\"b\":1},{\"a\":2}]", None),
            ("[1,2,2,1]", Some((1, 2))),
            ("[1,1.0,1]", Some((0, 1))),
            ("[0,-0.0]", Some((0, 1))),
            ("[{\"a\":1,\"b\":[2]},3,{\"b\":[2],\"a\":1}]", Some((0, 2))),
            ("[[1],[1,2],[1]]", Some((0, 2))),
        ];
        for (text, expected) in cases {
            let arena = Bump::new();
            let value =
                ValueSeed::new(&arena).deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
            let Value::List(list) = value else { panic!("{text}") };
            assert_eq!(first_repetition_of_few(list), expected, "{text}");
            assert_eq!(first_repetition_of_many(list), expected, "{text}");
        }
    }
}
