//! What holds for every text: reading it never panics, and what it says stands in it.

use orthrus::policy::{Body, Budget, Condition, ConditionKind, Policy, Text, parse, parse_stream};
use orthrus::text::{Diagnostics, Source, Span};
use proptest::prelude::*;

/// One policy with most of what the format and YAML have.
const POLICY: &str = r#"# Documents
---
apiVersion: api.cerbos.dev/v1
description: "Who may do what\twith documents"
variables: {is_owner: 'R.attr.owner == P.id'}
metadata:
  annotations: &notes {team: docs, "count": 010}
  sourceAttributes: {attributes: {a: [1.5, ~, true, {b: c}]}}
resourcePolicy:
  resource: document
  version: default
  scope: acme.hr
  scopePermissions: SCOPE_PERMISSIONS_OVERRIDE_PARENT
  importDerivedRoles: [common, 'other']
  variables:
    import: [shared]
    local:
      folded: >-
        R.attr.a &&
        R.attr.b

          || R.attr.c
      literal: |
        P.attr.x
          == "é"
  constants:
    local: {max: 0x1F, <<: *notes}
  schemas:
    principalSchema: {ref: "cerbos:///p.json", ignoreWhen: {actions: ["*"]}}
  rules:
    - &rule
      actions: [view, "edit:*"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          all:
            of:
              - expr: "V.is_owner ||
                  P.attr.admin"
              - none: {of: [{expr: 'R.attr.state == ''x'''}]}
      output:
        when:
          ruleActivated: '"yes"'
          conditionNotMet: |-
            "no"
    - <<: *rule
      name: second
      effect: EFFECT_DENY
"#;

/// Pieces that mean something to YAML or to the format.
fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "\n",
        "\n  ",
        "\n\t",
        "- ",
        ": ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "<<: *rule",
        "|",
        ">-\n",
        "'",
        "\"",
        "#",
        "---\n",
        "...\n",
        "!!str ",
        "%YAML 1.2\n",
        "\\u00e9",
        "\r\n",
        "~",
        ".inf",
        "0x",
        "é",
        "\u{feff}",
        "rules:",
        "expr: ",
        "effect: EFFECT_ALLOW\n",
        "apiVersion: api.cerbos.dev/v1\n",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,4}"]
}

fn read(text: &str) -> Result<Policy, Diagnostics> {
    let source = Source::new("policy.yaml", text);
    let stream = parse_stream(&source, &Budget::default());
    let one = parse(&source, &Budget::default());
    if let (Ok(stream), Ok(_)) = (&stream, &one) {
        assert_eq!(stream.len(), 1);
    }
    one
}

/// Every diagnostic can be shown, and every part of every expression stands in the file.
fn check(text: &str) {
    match read(text) {
        Ok(policy) => texts(&policy).into_iter().for_each(|expression| check_text(expression, text)),
        Err(errors) => {
            assert!(errors.has_errors());
            errors.iter().for_each(|error| assert!(!error.render().is_empty()));
        }
    }
}

fn check_text(expression: &Text, text: &str) {
    let whole = expression.span.range();
    assert!(text.get(whole.clone()).is_some(), "{whole:?}");
    let mut before = 0;
    for (at, character) in expression.value.char_indices() {
        let place = expression.locate(Span::new(at, at + character.len_utf8()));
        assert!(before <= place.start || place == expression.span, "{at} in {expression:?}");
        let written = text.get(place.range());
        assert!(written.is_some(), "{place:?} in {expression:?}");
        let written = written.unwrap_or_default();
        if character.is_alphanumeric() && !written.starts_with('\\') && place != expression.span {
            assert!(written.starts_with(character), "{character:?} is {written:?} in {expression:?}");
        }
        before = place.start;
    }
}

fn texts(policy: &Policy) -> Vec<&Text> {
    let mut texts: Vec<_> = policy.variables.iter().map(|definition| &definition.value).collect();
    if let Body::Resource(body) = &policy.body {
        texts.extend(body.variables.local.iter().map(|definition| &definition.value));
        for rule in &body.rules {
            rule.condition.iter().for_each(|condition| conditions(condition, &mut texts));
            let outputs =
                rule.output.iter().flat_map(|output| [&output.rule_activated, &output.condition_not_met]);
            texts.extend(outputs.flatten());
        }
    }
    texts
}

fn conditions<'p>(condition: &'p Condition, texts: &mut Vec<&'p Text>) {
    match &condition.kind {
        ConditionKind::Expr(text) => texts.push(text),
        ConditionKind::All(of) | ConditionKind::Any(of) | ConditionKind::None(of) => {
            of.iter().for_each(|condition| conditions(condition, texts));
        }
    }
}

#[test]
fn the_policy_that_is_mutated_is_valid() {
    let policy = read(POLICY).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let values: Vec<_> = texts(&policy).into_iter().map(|text| text.value.as_str()).collect();
    assert_eq!(
        values,
        [
            "R.attr.owner == P.id",
            "R.attr.a && R.attr.b\n\n  || R.attr.c",
            "P.attr.x\n  == \"é\"\n",
            "V.is_owner || P.attr.admin",
            "R.attr.state == 'x'",
            "\"yes\"",
            "\"no\"",
            "V.is_owner || P.attr.admin",
            "R.attr.state == 'x'",
            "\"yes\"",
            "\"no\"",
        ]
    );
    check(POLICY);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_mixture_of_fragments_is_read_or_refused(parts in prop::collection::vec(fragment(), 0..40)) {
        check(&parts.concat());
    }

    #[test]
    fn any_mutated_policy_is_read_or_refused(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, fragment()), 1..4)
    ) {
        let mut text = POLICY.to_owned();
        for (at, cut, insert) in mutations {
            let offsets: Vec<_> = text.char_indices().map(|(offset, _)| offset).collect();
            let index = at.index(offsets.len());
            let end = offsets.get(index + cut).copied().unwrap_or(text.len());
            text.replace_range(offsets[index]..end, &insert);
        }
        check(&text);
    }
}
