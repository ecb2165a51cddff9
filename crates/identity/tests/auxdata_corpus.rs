//! The conformance corpus' suite of key sets, and the tokens of its requests to the PDP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::fs;

use libtest_mimic::{Arguments, Trial};
use orthrus_identity::{KeySource, Rules, Verifier};
use serde_json::Value;
use support::{corpus, files, stem, yaml};

/// The tokens of the corpus are valid then.
const NOW: f64 = 1_800_000_000.0;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        for path in files(&corpus.join("auxdata"), ".yaml") {
            trials.push(Trial::test(format!("auxdata/{}", stem(&path)), move || {
                key_set(&yaml::read(&path)).map_err(Into::into)
            }));
        }
        let key = fs::read_to_string(corpus.join("auxdata/keys/verify_key.jwk")).unwrap();
        for folder in ["check_resources", "check_resource_set", "check_resource_batch"] {
            for path in files(&corpus.join("server/checks").join(folder), ".yaml") {
                for (name, token) in tokens(&yaml::read(&path)) {
                    let key = key.clone();
                    trials.push(Trial::test(format!("server/{folder}/{}/{name}", stem(&path)), move || {
                        verifies(&key, &token).map_err(Into::into)
                    }));
                }
            }
        }
        assert!(trials.len() > 5, "the corpus has key sets and tokens");
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Whether a set is taken, or refused for the reason that the PDP names, as our own and as a published one.
fn key_set(case: &Value) -> Result<(), String> {
    let text = case["input"]["key"].as_str().ok_or("the case has no key")?;
    for (name, source) in
        [("wantLocalErr", KeySource::Local(text)), ("wantRemoteErr", KeySource::Remote(text))]
    {
        let wanted = case.get(name).or(case.get("wantErr")).and_then(Value::as_str);
        match (Verifier::new(&source, Rules::default()), wanted) {
            (Ok(_), None) => {}
            (Err(error), Some(wanted)) => {
                let reason = wanted.rsplit(": ").next().unwrap_or(wanted);
                if !error.to_string().contains(reason) {
                    return Err(format!("wanted: {wanted}\nfound: {error}"));
                }
            }
            (Ok(_), Some(wanted)) => return Err(format!("wanted: {wanted}\nfound: no error")),
            (Err(error), None) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// The tokens of a request that the PDP answers, by name.
fn tokens(case: &Value) -> Vec<(String, String)> {
    if case["wantStatus"]["httpStatusCode"] != 200 {
        return Vec::new();
    }
    let inputs =
        case.as_object().into_iter().flat_map(|case| case.values()).filter_map(|call| call.get("input"));
    let tokens = inputs.flat_map(|input| {
        let aux_data = &input["auxData"];
        let named = aux_data["jwts"].as_object().into_iter().flatten();
        named.chain(aux_data.as_object().into_iter().flatten().filter(|(name, _)| *name == "jwt"))
    });
    tokens.filter_map(|(name, jwt)| Some((name.clone(), jwt["token"].as_str()?.to_owned()))).collect()
}

fn verifies(key: &str, token: &str) -> Result<(), String> {
    let verifier =
        Verifier::new(&KeySource::Local(key), Rules::default()).map_err(|error| error.to_string())?;
    let verified = verifier.verify(token, NOW).map_err(|refusal| refusal.to_string())?;
    let claims: Value = serde_json::from_str(&verified.claims).map_err(|error| error.to_string())?;
    if claims["iss"] == "cerbos-test-suite" { Ok(()) } else { Err(format!("claims: {claims}")) }
}
