//! Nodes → test suites and fixtures, with all mistakes of a file at once.

use std::collections::BTreeMap;

use orthrus::cel::{Const, Json, Timestamp};
use orthrus::compile::to_const;
use orthrus::policy::decode::{Decoder, Field, Object, Presence, Shape, Variant};
use orthrus::policy::{Budget, Constant, Effect, Spanned, rules};
use orthrus::text::{Code, Diagnostics, Source, Span};
use orthrus::yaml;
use serde_json::Value;

use super::suite::{
    AuxData, Expectation, ExpectedOutput, Fixtures, Group, Input, Members, OutputExpectation, Principal,
    Resource, Suite, TestOptions, TestTable,
};
use Presence::{Optional, Required};

macro_rules! shapes {
    ($($shape:ident = $name:literal { $($field:literal),* };)+) => {
        $(static $shape: Shape = Shape { name: $name, fields: &[$($field,)*], one_of: &[] };)+
    };
}

shapes! {
    SUITE = "a test suite" {
        "$schema", "name", "description", "skip", "skipReason", "tests", "principals", "resources", "auxData",
        "options", "principalGroups", "resourceGroups"
    };
    OPTIONS = "the options of tests" {
        "now", "lenientScopeSearch", "globals", "defaultPolicyVersion", "defaultScope", "strictEvaluation"
    };
    TEST = "a test" { "name", "description", "skip", "skipReason", "input", "expected", "options" };
    INPUT = "the input of a test" {
        "principals", "resources", "actions", "auxData", "principalGroups", "resourceGroups"
    };
    EXPECTATION = "an expectation" {
        "principal", "principals", "principalGroups", "resource", "resources", "resourceGroups", "actions",
        "outputs"
    };
    OUTPUTS = "the expected outputs of an action" { "action", "expected" };
    OUTPUT = "an expected output" { "src", "val", "action", "error" };
    PRINCIPALS = "a file of principals" { "$schema", "principals", "principalGroups" };
    RESOURCES = "a file of resources" { "$schema", "resources", "resourceGroups" };
    AUX_DATA_FILE = "a file of auxiliary data" { "$schema", "auxData" };
    PRINCIPAL = "a principal" { "id", "policyVersion", "roles", "attr", "scope" };
    RESOURCE = "a resource" { "kind", "policyVersion", "id", "attr", "scope" };
    AUX_DATA = "auxiliary data" { "jwt", "jwts" };
    CLAIMS = "a token" { "claims" };
    PRINCIPAL_GROUP = "a group of principals" { "principals" };
    RESOURCE_GROUP = "a group of resources" { "resources" };
}

const EFFECTS: &[Variant<Effect>] = &[
    ("EFFECT_UNSPECIFIED", 0, None),
    ("EFFECT_ALLOW", 1, Some(Effect::Allow)),
    ("EFFECT_DENY", 2, Some(Effect::Deny)),
    ("EFFECT_NO_MATCH", 3, None),
];

/// Reads a test suite.
///
/// # Errors
/// All mistakes of the text.
pub fn suite(source: &Source) -> Result<Suite, Diagnostics> {
    read(source, "suite", |decoder, field| {
        let object = decoder.object(field, &SUITE)?;
        Some(Suite {
            source: source.clone(),
            name: required(decoder, &object, "name"),
            description: string(decoder, &object, "description"),
            skip: decoder.boolean(&object, "skip"),
            skip_reason: string(decoder, &object, "skipReason"),
            options: object.get("options").and_then(|field| options(decoder, field)),
            tests: decoder.list(&object, "tests", Required, test),
            fixtures: Fixtures {
                principals: by_name(decoder, &object, "principals", principal),
                resources: by_name(decoder, &object, "resources", resource),
                aux_data: by_name(decoder, &object, "auxData", claims),
                principal_groups: by_name(decoder, &object, "principalGroups", principal_group),
                resource_groups: by_name(decoder, &object, "resourceGroups", resource_group),
            },
        })
    })
}

/// Fixtures and groups of their names.
pub(super) type WithGroups<T> = (BTreeMap<String, T>, BTreeMap<String, Group>);

/// Reads `testdata/principals.yaml`.
pub(super) fn principals(source: &Source) -> Result<WithGroups<Principal>, Diagnostics> {
    read(source, "principals", |decoder, field| {
        let object = decoder.object(field, &PRINCIPALS)?;
        let principals = by_name(decoder, &object, "principals", principal);
        Some((principals, by_name(decoder, &object, "principalGroups", principal_group)))
    })
}

/// Reads `testdata/resources.yaml`.
pub(super) fn resources(source: &Source) -> Result<WithGroups<Resource>, Diagnostics> {
    read(source, "resources", |decoder, field| {
        let object = decoder.object(field, &RESOURCES)?;
        let resources = by_name(decoder, &object, "resources", resource);
        Some((resources, by_name(decoder, &object, "resourceGroups", resource_group)))
    })
}

/// Reads `testdata/auxdata.yaml`.
pub(super) fn aux_data(source: &Source) -> Result<BTreeMap<String, AuxData>, Diagnostics> {
    read(source, "auxData", |decoder, field| {
        let object = decoder.object(field, &AUX_DATA_FILE)?;
        Some(by_name(decoder, &object, "auxData", claims))
    })
}

/// Reads the one document of a text.
fn read<T>(
    source: &Source,
    name: &'static str,
    decode: impl FnOnce(&mut Decoder<'_>, Field<'_>) -> Option<T>,
) -> Result<T, Diagnostics> {
    let budget = Budget::default();
    let documents = yaml::parse(source, &budget)?;
    let mut decoder = Decoder::new(source, &budget);
    let value = match &*documents {
        [] => {
            decoder.error(Code::MissingField, Span::at(0), "the file is empty");
            None
        }
        [document] => {
            let place = decoder.first_line(document.span);
            decode(&mut decoder, Field::root(name, document, place))
        }
        [_, second, ..] => {
            let span = Span::at(second.span.start as usize);
            let message = "a test file holds one document, and here a second one starts";
            decoder.error(Code::MultipleDocuments, span, message);
            None
        }
    };
    value.filter(|_| decoder.diagnostics.is_empty()).ok_or(decoder.diagnostics)
}

fn string(decoder: &mut Decoder<'_>, object: &Object<'_>, name: &str) -> String {
    decoder.string(object, name, &rules::ANY).map(|string| string.value).unwrap_or_default()
}

fn required(decoder: &mut Decoder<'_>, object: &Object<'_>, name: &str) -> String {
    decoder.required(object, name, &rules::NOT_EMPTY).value
}

fn names(decoder: &mut Decoder<'_>, object: &Object<'_>, name: &'static str) -> Vec<Spanned<String>> {
    decoder.strings(object, name, Optional, &rules::NOT_EMPTY)
}

fn by_name<'n, T>(
    decoder: &mut Decoder<'_>,
    object: &Object<'n>,
    name: &'static str,
    value: impl FnMut(&mut Decoder<'_>, Field<'n>) -> Option<T>,
) -> BTreeMap<String, T> {
    let definitions = decoder.definitions(object, name, value);
    definitions.into_iter().map(|definition| (definition.name.value, definition.value)).collect()
}

fn map(decoder: &mut Decoder<'_>, object: &Object<'_>, name: &'static str) -> Const {
    let entries = decoder.definitions(object, name, Decoder::constant);
    Const::map(entries.iter().map(|it| (Const::string(it.name.as_str()), to_const(&it.value))).collect())
}

fn options(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<TestOptions> {
    let object = decoder.object(field, &OPTIONS)?;
    Some(TestOptions {
        now: timestamp(decoder, &object, "now"),
        lenient_scope_search: decoder.boolean(&object, "lenientScopeSearch"),
        globals: map(decoder, &object, "globals"),
        default_policy_version: string(decoder, &object, "defaultPolicyVersion"),
        default_scope: string(decoder, &object, "defaultScope"),
        strict_evaluation: decoder.boolean(&object, "strictEvaluation"),
    })
}

fn timestamp(decoder: &mut Decoder<'_>, object: &Object<'_>, name: &str) -> Option<Timestamp> {
    let text = decoder.string(object, name, &rules::ANY)?;
    let timestamp = Timestamp::parse(&text).ok();
    if timestamp.is_none() {
        let message =
            format!("`{name}` must be a time as `2026-01-31T09:30:00Z` (RFC 3339), got {:?}", text.value);
        decoder.error(Code::InvalidValue, text.span, message);
    }
    timestamp
}

fn principal(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Principal> {
    let object = decoder.object(field, &PRINCIPAL)?;
    let roles = decoder.strings(&object, "roles", Required, &rules::NOT_EMPTY);
    Some(Principal {
        id: required(decoder, &object, "id"),
        policy_version: policy_version(decoder, &object),
        scope: scope(decoder, &object),
        roles: roles.into_iter().map(|role| role.value).collect(),
        attr: map(decoder, &object, "attr"),
    })
}

fn resource(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Resource> {
    let object = decoder.object(field, &RESOURCE)?;
    Some(Resource {
        kind: required(decoder, &object, "kind"),
        id: required(decoder, &object, "id"),
        policy_version: policy_version(decoder, &object),
        scope: scope(decoder, &object),
        attr: map(decoder, &object, "attr"),
    })
}

fn policy_version(decoder: &mut Decoder<'_>, object: &Object<'_>) -> String {
    decoder.string_or(object, "policyVersion", &rules::VERSION_OR_EMPTY, "").value
}

fn scope(decoder: &mut Decoder<'_>, object: &Object<'_>) -> String {
    decoder.string_or(object, "scope", &rules::SCOPE, "").value
}

fn claims(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<AuxData> {
    let object = decoder.object(field, &AUX_DATA)?;
    if let (Some(_), Some(jwts)) = (object.get("jwt"), object.get("jwts")) {
        decoder.error(Code::InvalidValue, jwts.key, "auxiliary data has `jwt` or `jwts`, not both");
    }
    let jwts = decoder.definitions(&object, "jwts", |decoder, field| {
        let token = decoder.object(field, &CLAIMS)?;
        Some(map(decoder, &token, "claims"))
    });
    Some(AuxData {
        jwt: map(decoder, &object, "jwt"),
        jwts: Const::map(jwts.into_iter().map(|it| (Const::string(it.name.value), it.value)).collect()),
    })
}

fn principal_group(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Group> {
    let object = decoder.object(field, &PRINCIPAL_GROUP)?;
    Some(Group { members: decoder.strings(&object, "principals", Required, &rules::NOT_EMPTY) })
}

fn resource_group(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Group> {
    let object = decoder.object(field, &RESOURCE_GROUP)?;
    Some(Group { members: decoder.strings(&object, "resources", Required, &rules::NOT_EMPTY) })
}

fn test(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<TestTable> {
    let object = decoder.object(field, &TEST)?;
    if object.get("input").is_none() {
        decoder.error(Code::MissingField, object.place, "`input` is missing in a test");
    }
    let input = object.get("input").and_then(|field| input(decoder, field));
    Some(TestTable {
        name: decoder.required(&object, "name", &rules::NOT_EMPTY),
        description: string(decoder, &object, "description"),
        skip: decoder.boolean(&object, "skip"),
        skip_reason: string(decoder, &object, "skipReason"),
        expected: decoder.list(&object, "expected", Required, expectation),
        options: object.get("options").and_then(|field| options(decoder, field)),
        input: input?,
    })
}

fn input(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Input> {
    let object = decoder.object(field, &INPUT)?;
    let principals = Members {
        names: names(decoder, &object, "principals"),
        groups: names(decoder, &object, "principalGroups"),
    };
    let resources = Members {
        names: names(decoder, &object, "resources"),
        groups: names(decoder, &object, "resourceGroups"),
    };
    require_members(decoder, object.place, &principals, "`principals` or `principalGroups` must be given");
    require_members(decoder, object.place, &resources, "`resources` or `resourceGroups` must be given");
    Some(Input {
        principals,
        resources,
        actions: decoder.strings(&object, "actions", Required, &rules::NOT_EMPTY),
        aux_data: decoder.string(&object, "auxData", &rules::ANY),
    })
}

fn expectation(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Expectation> {
    let object = decoder.object(field, &EXPECTATION)?;
    let principals = one_or_many(decoder, &object, ["principal", "principals", "principalGroups"]);
    let resources = one_or_many(decoder, &object, ["resource", "resources", "resourceGroups"]);
    let actions =
        decoder.definitions(&object, "actions", |decoder, field| decoder.variant_value(field, EFFECTS));
    if object.get("actions").is_none() {
        decoder.error(Code::MissingField, object.place, "`actions` is missing in an expectation");
    }
    Some(Expectation {
        span: object.place,
        principals,
        resources,
        actions: actions.into_iter().map(|definition| (definition.name, definition.value)).collect(),
        outputs: decoder.list(&object, "outputs", Optional, outputs),
    })
}

/// A name by itself, or a list of names, and groups.
fn one_or_many(decoder: &mut Decoder<'_>, object: &Object<'_>, fields: [&'static str; 3]) -> Members {
    let [one, many, groups] = fields;
    let single = decoder.string(object, one, &rules::ANY);
    let several = names(decoder, object, many);
    if single.is_some() && !several.is_empty() {
        let message = format!("an expectation has `{one}` or `{many}`, not both");
        decoder.error(Code::InvalidValue, object.place, message);
    }
    let members = Members {
        names: single.into_iter().chain(several).collect(),
        groups: names(decoder, object, groups),
    };
    let missing = format!("`{one}`, `{many}` or `{groups}` must be given");
    require_members(decoder, object.place, &members, &missing);
    members
}

fn require_members(decoder: &mut Decoder<'_>, place: Span, members: &Members, missing: &str) {
    if members.names.is_empty() && members.groups.is_empty() {
        decoder.error(Code::MissingField, place, missing);
    }
}

fn outputs(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<OutputExpectation> {
    let object = decoder.object(field, &OUTPUTS)?;
    Some(OutputExpectation {
        action: decoder.required(&object, "action", &rules::NOT_EMPTY),
        entries: decoder.list(&object, "expected", Required, output),
    })
}

fn output(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<ExpectedOutput> {
    let object = decoder.object(field, &OUTPUT)?;
    let src = decoder.string_or(&object, "src", &rules::ANY, "");
    let value = object.get("val").and_then(|field| decoder.constant(field));
    Some(ExpectedOutput { src, val: value.map(|value| to_json(&value)) })
}

/// By way of the value that an expression would give, so that numbers are written alike on both sides.
fn to_json(constant: &Constant) -> Value {
    serde_json::to_value(Json(to_const(constant).value())).unwrap_or_default()
}
