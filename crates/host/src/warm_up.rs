//! Doing all that loading a bundle and deciding takes, once, before it counts.
//!
//! WebAssembly is compiled function by function when each is first called. Where a program starts at no cost and pays for its requests,
//! as Cloudflare Workers do, that belongs to the start.

use orthrus::bundle::FORMAT;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::Options;
use orthrus::text::Source;
use orthrus::{Engine, pack};
use orthrus_bundle::{PublicKey, open};

use crate::{Answer, Failure, check_json};

const POLICIES: [(&str, &str); 3] = [
    ("document.yaml", include_str!("../warm_up/document.yaml")),
    ("derived_roles.yaml", include_str!("../warm_up/derived_roles.yaml")),
    ("principal.yaml", include_str!("../warm_up/principal.yaml")),
];

/// A bundle of nothing, and the key that signed it.
const SIGNED: &[u8] = include_bytes!("../warm_up/signed.orb");
const KEY: &str = include_str!("../warm_up/public.pem");

const REQUEST: &str = r#"{
    "includeMeta": true,
    "principal": {"id": "ann", "roles": ["user", "team:a"], "attr": {"org": "acme", "list": ["x"]}},
    "resources": [{
        "resource": {"kind": "document", "id": "1", "attr": {
            "org": "acme", "owner": "ann", "status": "open", "tags": ["ab", "b"], "name": "abc", "count": 1.5,
            "until": "2000-01-01T00:00:00Z"
        }},
        "actions": ["view", "view:public", "edit", "delete", "comment"]
    }]
}"#;

/// Verifies a signature, loads policies that use most of the language, and decides by them.
///
/// # Errors
/// What is not as it should be: the engine is broken.
pub fn warm_up() -> Result<Answer, Failure> {
    let key = PublicKey::from_pem(KEY).map_err(|error| Failure::Answer(error.to_string()))?;
    open(SIGNED, Some(&[key])).map_err(Failure::Bundle)?;
    let sources = POLICIES.map(|(name, text)| Source::new(name, text));
    let packed = pack(sources, false).map_err(Failure::Policies)?;
    let engine = Engine::from_payload(&packed.payload, Options::default(), Const::map(Vec::new()));
    let engine = engine.map_err(Failure::Payload)?;
    let decide = |audit| check_json(&engine, REQUEST, Timestamp::default, audit);
    decide(false).and_then(|_| decide(true))
}

/// The signed bundle is of this format.
const _: () = assert!(FORMAT == 1, "sign another bundle for `warm_up`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_decides() {
        match warm_up().unwrap_or_else(|failure| panic!("{failure}")) {
            Answer::Text(text) => assert!(text.starts_with("AAADA\n"), "{text}"),
            Answer::Mask(mask) => panic!("{mask}"),
        }
    }
}
