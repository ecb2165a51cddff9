//! Whatever a suite or a fixture holds, it is run or refused: nothing panics, and what is refused says where.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::text::Source;
use orthrus_cli::verify::{self, Config, RulePlaces, TestResult};

const POLICY: &str = "\
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules: [ { actions: [view], roles: [user], effect: EFFECT_ALLOW, output: { when: { ruleActivated: now() } } } ]
";

const SUITE: &str = "\
name: documents
options: { now: \"2026-06-01T00:00:00Z\", globals: { a: [1, {b: null}] } }
principalGroups: { few: { principals: [ann, bob] } }
resources: { one: { kind: document, id: '1', attr: { x: 1.5 } } }
auxData: { token: { jwts: { t: { claims: { iss: me } } } } }
tests:
  - name: viewing
    skip: false
    input: { principals: [ann], principalGroups: [few], resources: [one], actions: [view, edit], auxData: token }
    expected:
      - principalGroups: [few]
        resource: one
        actions: { view: EFFECT_ALLOW }
        outputs: [ { action: view, expected: [ { src: resource.document.vdefault#rule-001, val: {} } ] } ]
";

const PRINCIPALS: &str = "principals: { ann: &a { id: ann, roles: [user] }, bob: { <<: *a, id: bob } }\n";

#[test]
fn nothing_panics() {
    let policies = [Source::new("document.yaml", POLICY)];
    let engine = Engine::new(policies.clone(), Options::default(), Const::map(Vec::new())).unwrap();
    let config = Config { trace: Some(RulePlaces::new(&policies)), ..Config::default() };
    let run = |suite: &str, principals: &str| {
        let files = [Source::new("a_test.yaml", suite), Source::new("testdata/principals.yaml", principals)];
        let results = verify::run(&engine, &files, &config, &mut |_, _| {});
        let suite = results.suites.first().unwrap();
        let refused = suite.summary.overall_result == TestResult::Errored && suite.test_cases.is_empty();
        assert_eq!(refused, suite.diagnostics.has_errors(), "{suite:?}");
        assert!(suite.diagnostics.iter().all(|diagnostic| diagnostic.label.is_some()), "{suite:?}");
        results
    };
    assert_eq!(run(SUITE, PRINCIPALS).summary.tests_count, 4);
    for (text, is_suite) in [(SUITE, true), (PRINCIPALS, false)] {
        for mutant in mutants(text) {
            if is_suite {
                run(&mutant, PRINCIPALS)
            } else {
                run(SUITE, &mutant)
            };
        }
    }
}

/// The text cut at every place, and with every third character replaced by one that means something.
fn mutants(text: &str) -> impl Iterator<Item = String> {
    let cuts = (0..text.len()).map(|at| text[..at].to_owned());
    let replaced = (0..text.len()).step_by(3).flat_map(move |at| {
        ['\n', ':', '[', '}', '"', '&', '-', '0', 'é']
            .map(|c| format!("{}{c}{}", &text[..at], &text[at + 1..]))
    });
    cuts.chain(replaced)
}
