//! What crosses to a host: options and files in, answers and failures out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus::Engine;
use orthrus::cel::Timestamp;
use orthrus_host::{Answer, Failure, check_frame, check_json, from_files, from_milliseconds};
use serde_json::{Value, json};

const POLICY: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - { actions: [view], roles: [user], effect: EFFECT_ALLOW }
    - actions: [publish]
      roles: [user]
      effect: EFFECT_ALLOW
      condition: { match: { expr: G.open && now() > timestamp("2020-01-01T00:00:00Z") } }
"#;

const TIMELESS: &str = "
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules: [{ actions: [view], roles: [user], effect: EFFECT_ALLOW }]
";

fn engine(policy: &str, options: &Value) -> Result<Engine, Failure> {
    let policies = from_files(&json!({ "document.yaml": policy }).to_string(), &options.to_string())?;
    Ok(policies.engine)
}

fn request(actions: &[&str]) -> String {
    json!({
        "principal": { "id": "ann", "roles": ["user"] },
        "resources": [{ "resource": { "kind": "document", "id": "1" }, "actions": actions }],
    })
    .to_string()
}

fn ask(engine: &Engine, request: &str, milliseconds: f64) -> Result<Answer, Failure> {
    check_json(engine, request, || from_milliseconds(milliseconds), false)
}

#[test]
fn effects_are_bits_with_the_first_action_lowest() {
    let engine = engine(POLICY, &json!({ "globals": { "open": true } })).unwrap();
    let asked = request(&["view", "edit", "publish"]);
    assert_eq!(ask(&engine, &asked, 1.7e12).unwrap(), Answer::Mask(0b101));
    assert_eq!(ask(&engine, &asked, 0.0).unwrap(), Answer::Mask(0b001));
}

#[test]
fn more_effects_than_bits_are_letters() {
    let engine = engine(TIMELESS, &json!({})).unwrap();
    let names: Vec<String> = (0..29).map(|index| format!("a{index}")).collect();
    let mut actions: Vec<&str> = names.iter().map(String::as_str).collect();
    actions.push("view");
    assert_eq!(ask(&engine, &request(&actions), 0.0).unwrap(), Answer::Mask(1 << 29));
    actions.insert(0, "edit");
    let Answer::Text(letters) = ask(&engine, &request(&actions), 0.0).unwrap() else {
        panic!("31 effects do not fit");
    };
    assert_eq!(letters, format!("{}A", "D".repeat(30)));
}

#[test]
fn an_audit_log_is_told_details_that_were_not_asked_for() {
    let engine = engine(TIMELESS, &json!({})).unwrap();
    let answer = check_json(&engine, &request(&["view"]), Timestamp::default, true).unwrap();
    let Answer::Text(text) = answer else { panic!("an audit log needs details") };
    let (letters, details) = text.split_once('\n').unwrap();
    let details: Value = serde_json::from_str(details).unwrap();
    assert_eq!(letters, "A");
    assert_eq!(
        details[0]["effectivePolicies"],
        json!({ "resource.document.vdefault": { "source": "document.yaml" } })
    );
}

#[test]
fn the_clock_is_asked_only_where_a_policy_reads_it() {
    for (policy, reads) in [(POLICY, true), (TIMELESS, false)] {
        let engine = engine(policy, &json!({ "globals": { "open": true } })).unwrap();
        let mut asked = false;
        let clock = || {
            asked = true;
            Timestamp::default()
        };
        check_json(&engine, &request(&["view"]), clock, false).unwrap();
        assert_eq!(asked, reads);
    }
}

#[test]
fn milliseconds_are_instants_and_what_is_none_is_1970() {
    for (milliseconds, seconds, nanos) in [
        (0.0, 0, 0),
        (1_700_000_000_123.0, 1_700_000_000, 123_000_000),
        (-1.0, -1, 999_000_000),
        (0.5, 0, 500_000),
        (f64::NAN, 0, 0),
        (f64::INFINITY, 0, 0),
        (1e300, 0, 0),
    ] {
        let expected = Timestamp::new(seconds, nanos).unwrap();
        assert_eq!(from_milliseconds(milliseconds), expected, "{milliseconds}");
    }
}

#[test]
fn failures_tell_a_code_and_what_a_person_needs() {
    let told = |failure: Failure| failure.to_json();
    let options = told(engine(TIMELESS, &json!({ "strict": true })).unwrap_err());
    assert_eq!(options["code"], "OPTIONS_INVALID");
    assert!(options["message"].as_str().unwrap().contains("unknown field `strict`"), "{options}");

    let mode = told(engine(TIMELESS, &json!({ "schemaEnforcement": "on" })).unwrap_err());
    assert_eq!(
        mode,
        json!({ "code": "OPTIONS_INVALID", "message": "schemaEnforcement: there is no mode `on`" })
    );

    let files = told(from_files("[]", "{}").unwrap_err());
    assert_eq!(files["code"], "OPTIONS_INVALID");
    assert!(files["message"].as_str().unwrap().starts_with("files: "), "{files}");

    let policies = told(engine("resourcePolicy: {}", &json!({})).unwrap_err());
    assert_eq!(policies["code"], "POLICY_INVALID");
    assert_eq!(policies["diagnostics"][0]["file"], "document.yaml");
    assert_eq!(policies["diagnostics"][0]["line"], 1);

    let engine = engine(TIMELESS, &json!({})).unwrap();
    let request = told(ask(&engine, &request(&[""]), 0.0).unwrap_err());
    assert_eq!(request["code"], "REQUEST_INVALID");
    assert_eq!(request["path"], "resources[0].actions[0]");

    let frame = told(check_frame(&engine, &[0xff; 8], Timestamp::default).unwrap_err());
    assert_eq!(frame["code"], "ENGINE_FAULT");
}
