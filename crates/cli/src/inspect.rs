//! `inspect`: what is in a bundle.

use std::fs;
use std::io;

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus_bundle::{Container, PublicKey, digest_text};
use serde_json::json;

use crate::Exit;
use crate::arguments::InspectArguments;
use crate::bundle::read_key;
use crate::terminal::Terminal;

/// The verb: reads a bundle, verifies it if a key is given, and tells what it holds.
pub(crate) fn verb(arguments: &InspectArguments, terminal: &mut Terminal<'_>) -> io::Result<Exit> {
    match describe(arguments) {
        Ok(text) => terminal.print(&text).map(|()| Exit::Success),
        Err(message) => terminal.complain(&message).map(|()| Exit::Failure),
    }
}

fn describe(InspectArguments { bundle, public_key, json }: &InspectArguments) -> Result<String, String> {
    let path = bundle.display();
    let bytes = fs::read(bundle).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let key = public_key.as_deref().map(|file| {
        let key = PublicKey::from_pem(&read_key(file)?);
        key.map_err(|error| format!("the key {} {error}", file.display()))
    });
    let key = key.transpose()?;
    let refused = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let container = Container::read(&bytes).map_err(|error| refused(&error))?;
    if let Some(key) = &key {
        container.verify(std::slice::from_ref(key)).map_err(|error| refused(&error))?;
    }
    let engine = Engine::from_payload(container.payload, Options::default(), Const::map(Vec::new()));
    let engine = engine.map_err(|error| refused(&format!("the bundle cannot be loaded: {error}")))?;
    let policies: Vec<&str> = engine.outlines().iter().map(|policy| policy.key).collect();
    let digest = digest_text(&bytes);
    let signer = container.key_id.map(|id| id.to_string());
    if *json {
        let description = json!({
            "format": orthrus::bundle::FORMAT,
            "digest": digest,
            "signedBy": signer,
            "verified": key.is_some(),
            "policies": policies,
        });
        return Ok(format!("{description:#}\n"));
    }
    let signature = match (&signer, &key) {
        (None, _) => "none".to_owned(),
        (Some(id), Some(_)) => format!("by {id}, verified"),
        (Some(id), None) => format!("by {id}, not verified (give --public-key)"),
    };
    let mut text = format!(
        "format     {}\ndigest     {digest}\nsignature  {signature}\npolicies   {}\n",
        orthrus::bundle::FORMAT,
        engine.policy_count(),
    );
    policies.iter().for_each(|key| text.extend(["  ", key, "\n"]));
    Ok(text)
}
