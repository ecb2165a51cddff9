//! The six kinds of policy, decoded from their nodes.

use super::decode::{Decoder, Field, Object, Presence, Shape, Variant};
use super::model::{
    Body, Condition, ConditionKind, Constants, DerivedRole, DerivedRoles, Effect, ExportConstants,
    ExportVariables, Metadata, Output, Policy, PrincipalAction, PrincipalPolicy, PrincipalRule,
    ResourcePolicy, ResourceRule, RolePolicy, RoleRule, Schema, Schemas, ScopePermissions, Spanned,
    Variables,
};
use super::names::DEFAULT_VERSION;
use super::{Broken, Remains, rules, unique};
use crate::text::{Code, Source};
use crate::yaml::{Budget, Node, Text};
use Presence::{Optional, Required};

macro_rules! shapes {
    ($($shape:ident = $name:literal { $($field:literal),* } $(one of { $($choice:literal),* })?;)+) => {
        $(static $shape: Shape = Shape {
            name: $name,
            fields: &[$($field,)* $($($choice,)*)?],
            one_of: &[$($($choice,)*)?],
        };)+
    };
}

shapes! {
    POLICY = "a policy" { "apiVersion", "disabled", "description", "metadata", "variables", "$schema" }
        one of {
            "resourcePolicy", "principalPolicy", "derivedRoles", "exportVariables", "rolePolicy",
            "exportConstants"
        };
    METADATA = "`metadata`" {
        "sourceFile", "annotations", "hash", "storeIdentifer", "storeIdentifier", "sourceAttributes"
    };
    SOURCE_ATTRIBUTES = "`sourceAttributes`" { "attributes" };
    RESOURCE_POLICY = "a resource policy" {
        "resource", "version", "importDerivedRoles", "rules", "scope", "schemas", "variables",
        "scopePermissions", "constants"
    };
    RESOURCE_RULE = "a rule of a resource policy" {
        "actions", "derivedRoles", "roles", "condition", "effect", "name", "output"
    };
    PRINCIPAL_POLICY = "a principal policy" {
        "principal", "version", "rules", "scope", "variables", "scopePermissions", "constants"
    };
    PRINCIPAL_RULE = "a rule of a principal policy" { "resource", "actions" };
    PRINCIPAL_ACTION = "an action of a principal policy" { "action", "condition", "effect", "name", "output" };
    ROLE_POLICY = "a role policy" {
        "version", "parentRoles", "scope", "rules", "scopePermissions", "variables", "constants"
    } one of { "role" };
    ROLE_RULE = "a rule of a role policy" { "resource", "allowActions", "condition", "name", "output" };
    DERIVED_ROLES = "`derivedRoles`" { "name", "definitions", "variables", "constants" };
    DERIVED_ROLE = "the definition of a derived role" { "name", "parentRoles", "condition" };
    EXPORT = "an export" { "name", "definitions" };
    IMPORTS = "`variables` or `constants`" { "import", "local" };
    CONDITION = "a condition" {} one of { "match", "script" };
    MATCH = "a match" {} one of { "all", "any", "none", "expr" };
    MATCH_LIST = "`all`, `any` or `none`" { "of" };
    OUTPUT = "an output" { "expr", "when" };
    OUTPUT_WHEN = "`when`" { "ruleActivated", "conditionNotMet" };
    SCHEMAS = "`schemas`" { "principalSchema", "resourceSchema" };
    SCHEMA = "a schema reference" { "ref", "ignoreWhen" };
    IGNORE_WHEN = "`ignoreWhen`" { "actions" };
}

const EFFECTS: &[Variant<Effect>] = &[
    ("EFFECT_UNSPECIFIED", 0, None),
    ("EFFECT_ALLOW", 1, Some(Effect::Allow)),
    ("EFFECT_DENY", 2, Some(Effect::Deny)),
    ("EFFECT_NO_MATCH", 3, None),
];

const UNSPECIFIED: &str = "SCOPE_PERMISSIONS_UNSPECIFIED";
const OVERRIDE: &str = "SCOPE_PERMISSIONS_OVERRIDE_PARENT";
const CONSENT: &str = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";

const SCOPE_PERMISSIONS: &[Variant<ScopePermissions>] = &[
    (UNSPECIFIED, 0, None),
    (OVERRIDE, 1, Some(ScopePermissions::OverrideParent)),
    (CONSENT, 2, Some(ScopePermissions::RequireParentalConsentForAllows)),
];

/// A role policy always requires consent, and may say so.
const ROLE_SCOPE_PERMISSIONS: &[Variant<()>] =
    &[(UNSPECIFIED, 0, None), (OVERRIDE, 1, None), (CONSENT, 2, Some(()))];

/// Reads a document as a policy.
pub(super) fn policy(document: &Node<'_>, source: &Source, budget: &Budget) -> Result<Policy, Broken> {
    let mut decoder = Decoder::new(source, budget);
    let place = decoder.first_line(document.span);
    let Some(policy) = decoder.policy(Field::root("policy", document, place)) else {
        return Err(decoder.diagnostics.into());
    };
    // Of a policy that is left out of the set, only the format counts, as in the PDP.
    if decoder.diagnostics.is_empty() && !policy.disabled {
        unique::check(&policy.body, source, &mut decoder.diagnostics);
    }
    if decoder.diagnostics.is_empty() {
        return Ok(policy);
    }
    let remains = Remains { policy, names_are_known: decoder.names_are_known };
    Err(Broken { diagnostics: decoder.diagnostics, remains: Some(Box::new(remains)) })
}

impl Decoder<'_> {
    fn policy(&mut self, field: Field<'_>) -> Option<Policy> {
        let object = self.object(field, &POLICY)?;
        self.required(&object, "apiVersion", &rules::API_VERSION);
        self.string(&object, "$schema", &rules::ANY);
        let disabled = self.boolean(&object, "disabled");
        let description = self.string(&object, "description", &rules::ANY);
        let metadata = object.get("metadata").and_then(|field| self.metadata(field)).unwrap_or_default();
        let variables = self.naming(|decoder| decoder.definitions(&object, "variables", Self::defined_text));
        let choice = object.choice()?;
        let body = match choice.name {
            "resourcePolicy" => Body::Resource(self.resource_policy(choice)?),
            "principalPolicy" => Body::Principal(self.principal_policy(choice)?),
            "derivedRoles" => Body::DerivedRoles(self.derived_roles(choice)?),
            "rolePolicy" => Body::Role(self.role_policy(choice)?),
            "exportVariables" => Body::ExportVariables(self.export_variables(choice)?),
            _ => Body::ExportConstants(self.export_constants(choice)?),
        };
        let is_export = matches!(body, Body::ExportVariables(_) | Body::ExportConstants(_));
        if is_export && !variables.is_empty() && !disabled {
            let key = object.get("variables").map_or(object.place, |field| field.key);
            let message =
                format!("the deprecated top-level `variables` cannot stand beside `{}`", choice.name);
            self.error(Code::InvalidValue, key, message);
        }
        Some(Policy { source: self.source.clone(), disabled, description, metadata, variables, body })
    }

    fn metadata(&mut self, field: Field<'_>) -> Option<Metadata> {
        let object = self.object(field, &METADATA)?;
        let annotations = self.definitions(&object, "annotations", |decoder, field| {
            Some(decoder.chosen_string(field, &rules::ANY))
        });
        let misspelt = self.string(&object, "storeIdentifer", &rules::ANY);
        let attributes =
            object.get("sourceAttributes").and_then(|field| self.object(field, &SOURCE_ATTRIBUTES));
        let source_attributes =
            attributes.map(|object| self.definitions(&object, "attributes", Self::constant));
        Some(Metadata {
            source_file: self.string(&object, "sourceFile", &rules::ANY),
            annotations,
            hash: self.unsigned(&object, "hash"),
            store_identifier: self.string(&object, "storeIdentifier", &rules::ANY).or(misspelt),
            source_attributes: source_attributes.unwrap_or_default(),
        })
    }

    fn resource_policy(&mut self, field: Field<'_>) -> Option<ResourcePolicy> {
        let object = self.object(field, &RESOURCE_POLICY)?;
        Some(ResourcePolicy {
            span: object.span,
            resource: self.required(&object, "resource", &rules::SUBJECT),
            version: self.required(&object, "version", &rules::VERSION),
            scope: self.string_or(&object, "scope", &rules::SCOPE, ""),
            scope_permissions: self.variant(&object, "scopePermissions", Optional, SCOPE_PERMISSIONS),
            import_derived_roles: self.strings(&object, "importDerivedRoles", Optional, &rules::NAME),
            variables: self.variables(&object),
            constants: self.constants(&object),
            schemas: object.get("schemas").and_then(|field| self.schemas(field)),
            rules: self.list(&object, "rules", Optional, Self::resource_rule),
        })
    }

    fn resource_rule(&mut self, field: Field<'_>) -> Option<ResourceRule> {
        let object = self.object(field, &RESOURCE_RULE)?;
        Some(ResourceRule {
            span: object.span,
            name: self.string(&object, "name", &rules::RULE_NAME),
            actions: self.strings(&object, "actions", Required, &rules::NOT_EMPTY),
            roles: self.strings(&object, "roles", Optional, &rules::NOT_EMPTY),
            derived_roles: self.strings(&object, "derivedRoles", Optional, &rules::NAME),
            effect: self.effect(&object),
            condition: self.condition(&object),
            output: self.output(&object),
        })
    }

    fn principal_policy(&mut self, field: Field<'_>) -> Option<PrincipalPolicy> {
        let object = self.object(field, &PRINCIPAL_POLICY)?;
        Some(PrincipalPolicy {
            span: object.span,
            principal: self.required(&object, "principal", &rules::SUBJECT),
            version: self.required(&object, "version", &rules::VERSION),
            scope: self.string_or(&object, "scope", &rules::SCOPE, ""),
            scope_permissions: self.variant(&object, "scopePermissions", Optional, SCOPE_PERMISSIONS),
            variables: self.variables(&object),
            constants: self.constants(&object),
            rules: self.list(&object, "rules", Optional, Self::principal_rule),
        })
    }

    fn principal_rule(&mut self, field: Field<'_>) -> Option<PrincipalRule> {
        let object = self.object(field, &PRINCIPAL_RULE)?;
        Some(PrincipalRule {
            span: object.span,
            resource: self.required(&object, "resource", &rules::NOT_EMPTY),
            actions: self.list(&object, "actions", Required, Self::principal_action),
        })
    }

    fn principal_action(&mut self, field: Field<'_>) -> Option<PrincipalAction> {
        let object = self.object(field, &PRINCIPAL_ACTION)?;
        Some(PrincipalAction {
            span: object.span,
            action: self.required(&object, "action", &rules::NOT_EMPTY),
            name: self.string(&object, "name", &rules::RULE_NAME),
            effect: self.effect(&object),
            condition: self.condition(&object),
            output: self.output(&object),
        })
    }

    fn role_policy(&mut self, field: Field<'_>) -> Option<RolePolicy> {
        let object = self.object(field, &ROLE_POLICY)?;
        self.variant(&object, "scopePermissions", Optional, ROLE_SCOPE_PERMISSIONS);
        let role = object.choice().map(|role| self.chosen_string(role, &rules::SUBJECT));
        Some(RolePolicy {
            span: object.span,
            role: role.unwrap_or_default(),
            version: self.string_or(&object, "version", &rules::VERSION_OR_EMPTY, DEFAULT_VERSION),
            scope: self.string_or(&object, "scope", &rules::SCOPE, ""),
            parent_roles: self.strings(&object, "parentRoles", Optional, &rules::NOT_EMPTY),
            variables: self.variables(&object),
            constants: self.constants(&object),
            rules: self.list(&object, "rules", Optional, Self::role_rule),
        })
    }

    fn role_rule(&mut self, field: Field<'_>) -> Option<RoleRule> {
        let object = self.object(field, &ROLE_RULE)?;
        Some(RoleRule {
            span: object.span,
            resource: self.required(&object, "resource", &rules::NOT_EMPTY),
            allow_actions: self.strings(&object, "allowActions", Required, &rules::NOT_EMPTY),
            name: self.string(&object, "name", &rules::RULE_NAME),
            condition: self.condition(&object),
            output: self.output(&object),
        })
    }

    fn derived_roles(&mut self, field: Field<'_>) -> Option<DerivedRoles> {
        let object = self.object(field, &DERIVED_ROLES)?;
        Some(DerivedRoles {
            span: object.span,
            name: self.required(&object, "name", &rules::NAME),
            variables: self.variables(&object),
            constants: self.constants(&object),
            definitions: self.list(&object, "definitions", Required, Self::derived_role),
        })
    }

    fn derived_role(&mut self, field: Field<'_>) -> Option<DerivedRole> {
        let object = self.object(field, &DERIVED_ROLE)?;
        Some(DerivedRole {
            span: object.span,
            name: self.required(&object, "name", &rules::NAME),
            parent_roles: self.strings(&object, "parentRoles", Required, &rules::NOT_EMPTY),
            condition: self.condition(&object),
        })
    }

    fn export_variables(&mut self, field: Field<'_>) -> Option<ExportVariables> {
        let object = self.object(field, &EXPORT)?;
        Some(ExportVariables {
            span: object.span,
            name: self.required(&object, "name", &rules::NAME),
            definitions: self.definitions(&object, "definitions", Self::defined_text),
        })
    }

    fn export_constants(&mut self, field: Field<'_>) -> Option<ExportConstants> {
        let object = self.object(field, &EXPORT)?;
        Some(ExportConstants {
            span: object.span,
            name: self.required(&object, "name", &rules::NAME),
            definitions: self.definitions(&object, "definitions", Self::constant),
        })
    }

    fn variables(&mut self, object: &Object<'_>) -> Variables {
        self.naming(|decoder| decoder.variables_of(object))
    }

    fn variables_of(&mut self, object: &Object<'_>) -> Variables {
        let Some(object) = object.get("variables").and_then(|field| self.object(field, &IMPORTS)) else {
            return Variables::default();
        };
        Variables {
            import: self.strings(&object, "import", Optional, &rules::NAME),
            local: self.definitions(&object, "local", Self::defined_text),
        }
    }

    fn constants(&mut self, object: &Object<'_>) -> Constants {
        self.naming(|decoder| decoder.constants_of(object))
    }

    fn constants_of(&mut self, object: &Object<'_>) -> Constants {
        let Some(object) = object.get("constants").and_then(|field| self.object(field, &IMPORTS)) else {
            return Constants::default();
        };
        Constants {
            import: self.strings(&object, "import", Optional, &rules::NAME),
            local: self.definitions(&object, "local", Self::constant),
        }
    }

    fn effect(&mut self, object: &Object<'_>) -> Effect {
        // Without an effect there is an error, and this value goes nowhere.
        self.variant(object, "effect", Required, EFFECTS).map_or(Effect::Deny, |effect| effect.value)
    }

    fn condition(&mut self, object: &Object<'_>) -> Option<Condition> {
        let field = object.get("condition")?;
        let choice = self.object_written(field, &CONDITION, "condition: { match: { expr: … } }")?.choice()?;
        if choice.name == "script" {
            self.error(Code::ScriptsUnsupported, field.key, "scripts in conditions are not supported");
            return None;
        }
        self.match_tree(choice)
    }

    fn match_tree(&mut self, field: Field<'_>) -> Option<Condition> {
        let example = if field.name == "match" { "match: { expr: … }" } else { "- expr: …" };
        let object = self.object_written(field, &MATCH, example)?;
        let choice = object.choice()?;
        let kind = match choice.name {
            "expr" => ConditionKind::Expr(self.text(choice)?),
            "all" => ConditionKind::All(self.match_list(choice)?),
            "any" => ConditionKind::Any(self.match_list(choice)?),
            _ => ConditionKind::None(self.match_list(choice)?),
        };
        Some(Condition { span: object.span, kind })
    }

    fn match_list(&mut self, field: Field<'_>) -> Option<Vec<Condition>> {
        let object = self.object(field, &MATCH_LIST)?;
        Some(self.list(&object, "of", Required, Self::match_tree))
    }

    fn output(&mut self, object: &Object<'_>) -> Option<Output> {
        let field = object.get("output")?;
        let object = self.object(field, &OUTPUT)?;
        let when = object.get("when").and_then(|field| self.object(field, &OUTPUT_WHEN));
        let when = when.as_ref();
        let deprecated = self.expression(&object, "expr");
        let activated = when.and_then(|when| self.expression(when, "ruleActivated"));
        let (rule_activated, superseded) =
            if activated.is_some() { (activated, deprecated) } else { (deprecated, None) };
        Some(Output {
            span: field.key,
            rule_activated,
            condition_not_met: when.and_then(|when| self.expression(when, "conditionNotMet")),
            superseded,
        })
    }

    /// An optional expression; an empty one is none.
    fn expression(&mut self, object: &Object<'_>, name: &str) -> Option<Text> {
        self.text(object.get(name)?).filter(|text| !text.value.is_empty())
    }

    fn schemas(&mut self, field: Field<'_>) -> Option<Schemas> {
        let object = self.object(field, &SCHEMAS)?;
        Some(Schemas {
            principal: object.get("principalSchema").and_then(|field| self.schema(field)),
            resource: object.get("resourceSchema").and_then(|field| self.schema(field)),
        })
    }

    fn schema(&mut self, field: Field<'_>) -> Option<Schema> {
        let object = self.object(field, &SCHEMA)?;
        let ignore_when = object.get("ignoreWhen").and_then(|field| self.object(field, &IGNORE_WHEN));
        let actions: Option<Vec<Spanned<String>>> =
            ignore_when.map(|object| self.strings(&object, "actions", Required, &rules::NOT_EMPTY));
        Some(Schema {
            span: object.span,
            reference: self.required(&object, "ref", &rules::NOT_EMPTY),
            ignore_when_actions: actions.unwrap_or_default(),
        })
    }
}
