//! What is said about each kind of mistake in a policy, as people read it.

use orthrus::policy::{Budget, parse};
use orthrus::text::{Diagnostic, Source};

fn rendered(text: &str, budget: &Budget) -> String {
    let errors = parse(&Source::new("policy.yaml", text), budget).err().unwrap_or_default();
    errors.sorted().iter().map(Diagnostic::render).collect::<Vec<_>>().join("\n")
}

macro_rules! diagnostics {
    ($($name:ident: $text:expr;)+) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(stringify!($name), rendered($text, &Budget::default()));
            }
        )+
    };
}

/// A resource policy with one rule; `$rule` follows its fields.
macro_rules! rule {
    ($rule:literal) => {
        concat!(
            "apiVersion: api.cerbos.dev/v1\n",
            "resourcePolicy:\n",
            "  resource: document\n",
            "  version: default\n",
            "  rules:\n",
            "    - actions: [view]\n",
            "      effect: EFFECT_ALLOW\n",
            "      roles: [user]\n",
            $rule
        )
    };
}

macro_rules! constants {
    ($definitions:literal) => {
        concat!(
            "apiVersion: api.cerbos.dev/v1\nexportConstants:\n  name: limits\n  definitions:\n",
            $definitions
        )
    };
}

diagnostics! {
    syntax_tab: rule!("\t- actions: [edit]\n");
    syntax_quotes: rule!("      condition:\n        match:\n          expr: \"admin\" in P.roles\n");
    syntax_unclosed_quote: rule!("      name: \"view\n");
    syntax_bracket: "resourcePolicy:\n  rules:\n    - actions: [view\n      effect: EFFECT_ALLOW\n";
    syntax_no_colon: rule!("      name view\n");
    syntax_indentation: rule!("    condition:\n");
    syntax_reserved: rule!("      name: @view\n");
    syntax_escape: rule!("      name: \"\\q\"\n");

    too_large_depth: &format!("description: {}", "[".repeat(65));
    too_large_bomb: constants!(
        "    a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n    b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
         \x20   c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n    d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
         \x20   e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
    );

    duplicate_key: rule!("      roles: [admin]\n");
    duplicate_key_by_alias: rule!("      derivedRoles: [owner]\n      derived_roles: [owner]\n");
    duplicate_anchor: constants!("    a: &a 1\n    b: &a 2\n");
    multiple_documents: concat!(constants!("    a: 1\n"), "---\n", constants!("    b: 1\n"));
    unknown_alias: constants!("    a: *b\n");
    merge_of_no_mapping: constants!("    a: {<<: 1}\n");

    unknown_field: rule!("      condtion:\n        match: {expr: 'true'}\n");
    unknown_field_without_likeness: rule!("      banana: 1\n");
    wrong_type_boolean: concat!("disabled: yes\n", rule!(""));
    wrong_type_string: rule!("      name: 1.5\n");
    wrong_type_list: rule!("      derivedRoles:\n");
    wrong_type_list_of_one: rule!("      derivedRoles: owner\n");
    wrong_type_mapping: rule!("      condition: R.attr.public\n");
    wrong_type_condition: rule!("      condition:\n        match:\n          all: {of: [R.attr.public]}\n");
    wrong_type_match: rule!("      condition:\n        match: R.attr.public\n");
    wrong_type_key: constants!("    1: one\n");
    wrong_type_constant: constants!("    a: [.inf]\n");
    wrong_type_policy: "just text\n";
    missing_fields: "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  rules:\n    - roles: [user]\n";
    missing_value: rule!("  schemas:\n    principalSchema:\n      ref: ''\n      ignoreWhen: {actions: []}\n");
    missing_choice: rule!("      condition:\n        match: {}\n");
    invalid_api_version: "apiVersion: v1\nexportConstants:\n  name: x\n";
    invalid_pattern: rule!("      name: 1st\n  scope: acme..hr\n");
    invalid_item: rule!("      derivedRoles: ['the owner']\n");
    invalid_effect: "apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: daisy\n  version: default\n  \
                     rules:\n    - resource: document\n      actions:\n        - {action: view, effect: EFFECT_ALOW}\n        \
                     - {action: edit, effect: ALLOW}\n        - {action: list, effect: 3}\n";
    invalid_choice: rule!("      condition:\n        match:\n          expr: 'true'\n          all: {of: [{expr: 'true'}]}\n");
    repeated_item: rule!("    - actions: [view, edit, view]\n      effect: EFFECT_DENY\n      roles: ['*']\n");
    repeated_alias: rule!("      name: &x twice\n    - actions: [*x, *x]\n      effect: EFFECT_DENY\n      roles: ['*']\n");
    repeated_rule_name: rule!(
        "      name: x\n    - actions: [edit]\n      effect: EFFECT_DENY\n      roles: ['*']\n      name: x\n"
    );
    repeated_derived_role: "apiVersion: api.cerbos.dev/v1\nderivedRoles:\n  name: common\n  definitions:\n    \
                            - {name: owner, parentRoles: [user]}\n    - {name: owner, parentRoles: [admin]}\n";
    top_level_variables_of_an_export: concat!("variables: {x: '1'}\n", constants!("    a: 1\n"));
    no_policy: "# nothing yet\n";
    no_policy_type: "apiVersion: api.cerbos.dev/v1\ndescription: nothing\n";
    two_policy_types: concat!(rule!(""), "exportVariables:\n  name: x\n");
    script: rule!("      condition:\n        script: 'true'\n");
}

#[test]
fn too_large_bytes() {
    let budget = Budget { bytes: 10, ..Budget::default() };
    insta::assert_snapshot!("too_large_bytes", rendered("description: long\n", &budget));
}
