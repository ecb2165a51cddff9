//! Rules of each kind of policy, from the model of the file to the form that a check reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::denials::{Denial, Held};
use super::expressions::{Compiler, Reads};
use super::imports::find;
use super::index::Builder;
use super::modules::{ModuleScope, Modules};
use super::patterns::{allowed_action, matcher};
use crate::policy::{
    self, DerivedRoles, Effect, Kind, Policy, ScopePermissions, Spanned, policy_key, principal_rule_name,
    resource_rule_name, sanitize,
};
use crate::table::{
    Candidate, Condition, Constants, DerivedRole, Matcher, ModuleId, NameMap, PrincipalPolicy, PrincipalRule,
    ResourcePolicy, ResourceRule, RoleMatcher, RolePolicy, RoleRule, Row,
};
use crate::text::{Code, Diagnostic, Label, Span, nearest};

/// A derived roles policy as resource policies use it.
pub(super) struct DerivedRolesModule<'p> {
    pub(super) policy: &'p Policy,
    scope: Arc<ModuleScope<'p>>,
    definitions: BTreeMap<&'p str, Definition<'p>>,
}

struct Definition<'p> {
    written: &'p policy::DerivedRole,
    parents: Vec<String>,
    condition: Option<Arc<Condition>>,
    module: ModuleId,
    reads: Reads,
    constants: Constants,
    /// Key of the policy that it is in.
    origin: String,
}

pub(super) fn derived_roles<'p>(
    policy: &'p Policy,
    body: &'p DerivedRoles,
    modules: &mut Modules<'_, 'p>,
) -> DerivedRolesModule<'p> {
    let scope = Arc::new(modules.scope(policy, &body.constants, &body.variables));
    let mut definitions = BTreeMap::new();
    for definition in &body.definitions {
        let names = modules.used(&scope, std::iter::once((definition.condition.as_ref(), None)));
        let (condition, reads) = modules.with_compiler(policy, &names, |compiler| {
            definition.condition.as_ref().map(|condition| compiler.condition(condition))
        });
        let parents = roles_or_any(&definition.parent_roles);
        let definition_of = Definition {
            written: definition,
            parents,
            condition: condition.flatten().map(Arc::new),
            module: scope.id,
            constants: scope.constants_among(&reads.constants),
            reads,
            origin: policy.key(),
        };
        definitions.insert(definition.name.as_str(), definition_of);
    }
    DerivedRolesModule { policy, scope, definitions }
}

/// A list that holds `*` means `*` alone.
fn roles_or_any(roles: &[Spanned<String>]) -> Vec<String> {
    if roles.iter().any(|role| role.value == "*") {
        return vec!["*".to_owned()];
    }
    roles.iter().map(|role| role.value.clone()).collect()
}

pub(super) fn resource_policy<'p>(
    policy: &'p Policy,
    body: &'p policy::ResourcePolicy,
    modules: &mut Modules<'_, 'p>,
    builder: &mut Builder,
) {
    let imported = import_derived_roles(policy, body, modules);
    let referenced = referenced_roles(policy, body, &imported, modules);
    let scope = Arc::new(modules.scope(policy, &body.constants, &body.variables));
    let written = body.rules.iter().map(|rule| (rule.condition.as_ref(), rule.output.as_ref()));
    let names = modules.used(&scope, written);
    let needs_consent = needs_consent(body.scope_permissions.as_ref());
    let mut rules = Vec::with_capacity(body.rules.len());
    let mut memos = 0;
    let mut reads = Reads::default();
    for (index, rule) in body.rules.iter().enumerate() {
        check_has_roles(policy, rule, modules);
        let ((condition, output), of_rule) = modules.with_compiler(policy, &names, |compiler| {
            (
                compile_condition(compiler, rule.condition.as_ref()),
                rule.output.as_ref().map(|it| compiler.output(it)),
            )
        });
        reads.merge(&of_rule);
        let name = resource_rule_name(rule.name.as_deref().map(String::as_str), index + 1);
        if rule.effect == Effect::Deny {
            modules.denials.push(Denial {
                policy,
                scope: Arc::clone(&scope),
                span: rule.name.as_ref().map_or(Span::at(rule.span.start as usize), |name| name.span),
                name: format!("the DENY rule `{name}`"),
                condition: rule.condition.as_ref(),
                roles: held(rule, &imported),
                only_derived: rule.roles.is_empty(),
                actions: rule.actions.iter().collect(),
                schemas_of: Some(policy.key()),
            });
        }
        let (effect, condition) = consent(needs_consent, rule.effect, condition);
        rules.push(ResourceRule {
            name: name.into(),
            effect,
            condition,
            output,
            actions: rule.actions.iter().map(|action| builder.symbols.intern(action)).collect(),
            rows: rows(policy, rule, &referenced, &mut memos, modules, builder),
        });
    }
    let derived_roles =
        referenced.iter().map(|(name, definition)| derived_role(name, definition, builder)).collect();
    let mut attributes = reads.attributes;
    referenced.values().for_each(|definition| attributes.merge(&definition.reads.attributes));
    let (actions, patterns) = action_index(policy, body, modules);
    let mut imports = scope.imports.clone();
    for name in &body.import_derived_roles {
        if let Some(module) = modules.derived_roles(name) {
            imports.insert(module.policy.key());
            imports.extend(module.scope.imports.iter().cloned());
        }
    }
    builder.add_resource(
        body,
        ResourcePolicy {
            key: policy.key().into(),
            rules: rules.into(),
            derived_roles,
            module: scope.id,
            uses: reads.variables.into(),
            constants: scope.constants_among(&reads.constants),
            imports: keys(imports),
            memos,
            reads_runtime: reads.runtime,
            schemas: None,
            actions,
            patterns,
        },
        &attributes,
    );
}

type Imported<'p> = BTreeMap<&'p str, Vec<(&'p Spanned<String>, Arc<DerivedRolesModule<'p>>)>>;
type Referenced<'i, 'p> = BTreeMap<&'i str, &'i Definition<'p>>;

fn import_derived_roles<'p>(
    policy: &'p Policy,
    body: &'p policy::ResourcePolicy,
    modules: &mut Modules<'_, 'p>,
) -> Imported<'p> {
    let mut imported: Imported<'p> = BTreeMap::new();
    for import in &body.import_derived_roles {
        match find(policy, "derived roles", import, &modules.library.derived_roles) {
            Ok((_, exported)) => {
                if let Some(module) = modules.derived_roles(&exported.name) {
                    for name in module.definitions.keys() {
                        imported.entry(name).or_default().push((import, Arc::clone(&module)));
                    }
                }
            }
            Err(diagnostic) => modules.report(*diagnostic),
        }
    }
    imported
}

/// The derived roles that a rule is for.
fn held<'p>(rule: &policy::ResourceRule, imported: &Imported<'p>) -> Vec<Held<'p>> {
    let find = |role: &Spanned<String>| match imported.get(role.as_str()).map(Vec::as_slice) {
        Some([(_, module)]) => module.definitions.get(role.as_str()).map(|definition| Held {
            policy: module.policy,
            scope: Arc::clone(&module.scope),
            condition: definition.written.condition.as_ref(),
        }),
        _ => None,
    };
    rule.derived_roles.iter().filter_map(find).collect()
}

fn referenced_roles<'i, 'p>(
    policy: &Policy,
    body: &'i policy::ResourcePolicy,
    imported: &'i Imported<'p>,
    modules: &mut Modules<'_, '_>,
) -> Referenced<'i, 'p> {
    let mut referenced = BTreeMap::new();
    for role in body.rules.iter().flat_map(|rule| &rule.derived_roles) {
        match imported.get(role.as_str()).map(Vec::as_slice) {
            Some([(_, module)]) => {
                referenced
                    .extend(module.definitions.get_key_value(role.as_str()).map(|(name, it)| (*name, it)));
            }
            Some(sources) => modules.report(ambiguous(policy, role, sources)),
            // It may well be in the import that was not found.
            None if lacks_imports(body, modules) => {}
            None => {
                let message = format!("derived role `{}` is not defined in any imports", role.value);
                let hint = match nearest(&role.value, imported.keys().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "import the policy that defines it under `importDerivedRoles`".to_owned(),
                };
                let diagnostic =
                    Diagnostic::error(Code::UnknownDerivedRole, &policy.source, role.span, message);
                modules.report(diagnostic.with_hint(hint));
            }
        }
    }
    referenced
}

fn lacks_imports(body: &policy::ResourcePolicy, modules: &Modules<'_, '_>) -> bool {
    body.import_derived_roles
        .iter()
        .any(|import| !modules.library.derived_roles.contains_key(import.as_str()))
}

fn ambiguous(
    policy: &Policy,
    role: &Spanned<String>,
    sources: &[(&Spanned<String>, Arc<DerivedRolesModule<'_>>)],
) -> Diagnostic {
    let message = format!("derived role `{}` is defined in more than one import", role.value);
    let diagnostic = Diagnostic::error(Code::AmbiguousDerivedRole, &policy.source, role.span, message)
        .with_hint("remove one of the imports, or rename the derived role in one of them");
    sources.iter().fold(diagnostic, |diagnostic, (import, module)| {
        let note = format!("defined in {}", module.policy.source.name());
        diagnostic.with_related(Label::new(&policy.source, import.span).with_note(note))
    })
}

fn keys(keys: BTreeSet<String>) -> Box<[Box<str>]> {
    keys.into_iter().map(String::into_boxed_str).collect()
}

fn check_has_roles(policy: &Policy, rule: &policy::ResourceRule, modules: &mut Modules<'_, '_>) {
    if rule.roles.is_empty() && rule.derived_roles.is_empty() {
        let message = "the rule does not specify any roles or derived roles to match";
        modules.report(
            Diagnostic::error(Code::InvalidResourceRule, &policy.source, rule.span, message)
                .with_hint("add `roles: [...]` or `derivedRoles: [...]`; `roles: [\"*\"]` means everybody"),
        );
    }
}

fn compile_condition(
    compiler: &mut Compiler<'_, '_>,
    condition: Option<&policy::Condition>,
) -> Option<Condition> {
    condition.and_then(|condition| compiler.condition(condition))
}

fn needs_consent(permissions: Option<&Spanned<ScopePermissions>>) -> bool {
    permissions.is_some_and(|it| it.value == ScopePermissions::RequireParentalConsentForAllows)
}

/// Where parents have to consent, a conditional ALLOW becomes a DENY of everybody who does not meet the condition.
fn consent(needed: bool, effect: Effect, condition: Option<Condition>) -> (Effect, Option<Condition>) {
    match condition {
        Some(condition) if needed && effect == Effect::Allow => {
            (Effect::Deny, Some(Condition::None(Box::new([condition]))))
        }
        condition => (effect, condition),
    }
}

/// One row for each role, then one for each parent role of each derived role.
fn rows(
    policy: &Policy,
    rule: &policy::ResourceRule,
    referenced: &Referenced<'_, '_>,
    memos: &mut u32,
    modules: &mut Modules<'_, '_>,
    builder: &mut Builder,
) -> Box<[Row]> {
    let mut rows = Vec::new();
    let mut take_memo = || {
        *memos += 1;
        *memos - 1
    };
    if !rule.roles.is_empty() {
        let memo = take_memo();
        for role in roles_or_any(&rule.roles) {
            if let Some(role) = role_matcher(policy, &role, &rule.roles, modules, builder) {
                rows.push(Row { role, derived_role: None, memo });
            }
        }
    }
    let mut seen = Vec::new();
    for name in &rule.derived_roles {
        let Some((index, definition)) =
            referenced.keys().position(|it| *it == name.value).zip(referenced.get(name.as_str()))
        else {
            continue;
        };
        if seen.contains(&index) {
            continue;
        }
        seen.push(index);
        let memo = take_memo();
        for parent in &definition.parents {
            if let Some(role) = role_matcher(policy, parent, &[], modules, builder) {
                rows.push(Row { role, derived_role: u32::try_from(index).ok(), memo });
            }
        }
    }
    rows.into()
}

fn role_matcher(
    policy: &Policy,
    role: &str,
    written: &[Spanned<String>],
    modules: &mut Modules<'_, '_>,
    builder: &mut Builder,
) -> Option<RoleMatcher> {
    if !role.contains('*') {
        return Some(RoleMatcher::Named(builder.symbols.intern(role)));
    }
    let span = written.iter().find(|it| it.value == role).map_or(policy.name_span(), |it| it.span);
    let role = Spanned { value: role.to_owned(), span };
    matcher(policy, &role, &role.value, modules).map(|matcher| match matcher {
        Matcher::Any => RoleMatcher::Any,
        glob => RoleMatcher::Glob(glob),
    })
}

fn derived_role(name: &str, definition: &Definition<'_>, builder: &mut Builder) -> DerivedRole {
    DerivedRole {
        name: name.into(),
        any_parent: definition.parents.iter().any(|role| role == "*"),
        parent_roles: definition.parents.iter().map(|role| builder.symbols.intern(role)).collect(),
        condition: definition.condition.clone(),
        module: definition.module,
        uses: definition.reads.variables.as_slice().into(),
        constants: definition.constants.clone(),
        origin: definition.origin.as_str().into(),
    }
}

type ActionIndex = (NameMap<Box<[Candidate]>>, Box<[(Matcher, u32)]>);

/// For each action that some rule spells out, all rules that fit it; and the patterns, for every other action.
fn action_index(
    policy: &Policy,
    body: &policy::ResourcePolicy,
    modules: &mut Modules<'_, '_>,
) -> ActionIndex {
    let mut spelled: Vec<&str> = Vec::new();
    let mut all: Vec<(Matcher, u32)> = Vec::new();
    for (rule, number) in body.rules.iter().zip(0..) {
        for action in &rule.actions {
            match matcher(policy, action, action, modules) {
                Some(literal @ Matcher::Literal(_)) => {
                    spelled.push(action);
                    all.push((literal, number));
                }
                Some(pattern) => all.push((pattern, number)),
                None => {}
            }
        }
    }
    let mut actions = NameMap::default();
    for action in spelled {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (_, rule) in all.iter().filter(|(pattern, _)| pattern.matches(action)) {
            match candidates.last_mut() {
                Some(last) if last.rule == *rule => last.times += 1,
                _ => candidates.push(Candidate { rule: *rule, times: 1 }),
            }
        }
        actions.insert(action, candidates.into());
    }
    all.retain(|(pattern, _)| !matches!(pattern, Matcher::Literal(_)));
    (actions, all.into())
}

pub(super) fn principal_policy<'p>(
    policy: &'p Policy,
    body: &'p policy::PrincipalPolicy,
    modules: &mut Modules<'_, 'p>,
    builder: &mut Builder,
) {
    let scope = Arc::new(modules.scope(policy, &body.constants, &body.variables));
    let actions = body.rules.iter().flat_map(|rule| &rule.actions);
    let names = modules.used(&scope, actions.map(|it| (it.condition.as_ref(), it.output.as_ref())));
    let needs_consent = needs_consent(body.scope_permissions.as_ref());
    let mut rules = Vec::new();
    let mut reads = Reads::default();
    for rule in &body.rules {
        let resource = matcher(policy, &rule.resource, &sanitize(&rule.resource), modules);
        for (index, action) in rule.actions.iter().enumerate() {
            let ((condition, output), of_rule) = modules.with_compiler(policy, &names, |compiler| {
                let condition = compile_condition(compiler, action.condition.as_ref());
                (condition, action.output.as_ref().map(|it| compiler.output(it)))
            });
            reads.merge(&of_rule);
            let name =
                principal_rule_name(action.name.as_deref().map(String::as_str), &rule.resource, index + 1);
            if action.effect == Effect::Deny {
                modules.denials.push(Denial {
                    policy,
                    scope: Arc::clone(&scope),
                    span: action.action.span,
                    name: format!("the DENY rule `{name}`"),
                    condition: action.condition.as_ref(),
                    roles: Vec::new(),
                    only_derived: false,
                    actions: vec![&action.action],
                    schemas_of: resource_key(body, rule),
                });
            }
            let (effect, condition) = consent(needs_consent, action.effect, condition);
            let pattern = matcher(policy, &action.action, &action.action, modules);
            let Some((resource, pattern)) = resource.clone().zip(pattern) else { continue };
            rules.push(PrincipalRule {
                name: name.into(),
                resource,
                action: pattern,
                effect,
                condition,
                output,
            });
        }
    }
    let compiled = PrincipalPolicy {
        key: policy.key().into(),
        rules: rules.into(),
        module: scope.id,
        uses: reads.variables.into(),
        constants: scope.constants_among(&reads.constants),
        imports: keys(scope.imports.clone()),
    };
    builder.add_principal(body, compiled, &reads.attributes);
}

/// The resource policy that a principal's rule is about, where the rule names one kind of resource. A principal policy is
/// looked up by the version of the resource, and the outermost policy of a kind has its schemas.
fn resource_key(body: &policy::PrincipalPolicy, rule: &policy::PrincipalRule) -> Option<String> {
    let resource = sanitize(&rule.resource);
    let is_name = matches!(Matcher::new(&resource), Ok(Matcher::Literal(_)));
    is_name.then(|| policy_key(Kind::Resource, &resource, &body.version, ""))
}

pub(super) fn role_policy<'p>(
    policy: &'p Policy,
    body: &'p policy::RolePolicy,
    modules: &mut Modules<'_, 'p>,
    builder: &mut Builder,
) {
    let scope = modules.scope(policy, &body.constants, &body.variables);
    let written = body.rules.iter().map(|rule| (rule.condition.as_ref(), rule.output.as_ref()));
    let names = modules.used(&scope, written);
    let mut rules = Vec::with_capacity(body.rules.len());
    let mut reads = Reads::default();
    for rule in &body.rules {
        let ((condition, output), of_rule) = modules.with_compiler(policy, &names, |compiler| {
            (
                compile_condition(compiler, rule.condition.as_ref()),
                rule.output.as_ref().map(|it| compiler.output(it)),
            )
        });
        reads.merge(&of_rule);
        let allow_actions =
            rule.allow_actions.iter().flat_map(|action| allowed_action(policy, action, modules)).collect();
        let Some(resource) = matcher(policy, &rule.resource, &rule.resource, modules) else { continue };
        rules.push(RoleRule {
            name: rule.name.as_deref().map(String::as_str).unwrap_or_default().into(),
            resource,
            allow_actions,
            denial: condition.map(|condition| Condition::None(Box::new([condition]))),
            output,
        });
    }
    let role = builder.symbols.intern(&body.role);
    let compiled = RolePolicy {
        role,
        key: policy.key().into(),
        rules: rules.into(),
        module: scope.id,
        uses: reads.variables.into(),
        constants: scope.constants_among(&reads.constants),
        imports: keys(scope.imports),
    };
    builder.add_role(body, compiled, &reads.attributes);
}
