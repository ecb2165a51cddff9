//! What requests must be like, refused in the words of the PDP, which validates by protovalidate.

use crate::proto::authzen::authorization::v1 as authzen;
use crate::proto::buf::validate::field_path_element::Subscript;
use crate::proto::buf::validate::{FieldPath, FieldPathElement, FieldType, Violation, Violations};
use crate::proto::cerbos::engine::v1::{Principal, Resource};
use crate::proto::cerbos::request::v1::{
    AuxData, CheckResourceBatchRequest, CheckResourceSetRequest, CheckResourcesRequest,
};
use crate::status::Status;

const REQUIRED: &str = "value is required";
const NOT_EMPTY: &str = "must be at least 1 characters";
const UNIQUE: &str = "repeated value must contain unique items";
const VERSION: &str = "does not match regex pattern `^[\\w]*$`";
const SCOPE: &str = "does not match regex pattern `^(^$|\\.|[0-9a-zA-Z][\\w\\-]*(\\.\\w[\\w\\-]*)*)$`";

/// A request that is refused unless it is as it should be.
pub(crate) trait Validate {
    fn check(&self, report: &mut Report);

    /// Everything that is wrong with it.
    fn validate(&self) -> Result<(), Status> {
        let mut report = Report::default();
        self.check(&mut report);
        report.finish()
    }
}

impl Validate for CheckResourcesRequest {
    fn check(&self, report: &mut Report) {
        report.message(3, "principal", self.principal.as_ref(), principal);
        report.entries(4, self.resources.iter().map(|entry| (&entry.actions, &entry.resource)));
        report.optional(5, "aux_data", self.aux_data.as_ref(), aux_data);
    }
}

impl Validate for CheckResourceBatchRequest {
    fn check(&self, report: &mut Report) {
        report.message(2, "principal", self.principal.as_ref(), principal);
        report.entries(3, self.resources.iter().map(|entry| (&entry.actions, &entry.resource)));
        report.optional(4, "aux_data", self.aux_data.as_ref(), aux_data);
    }
}

impl Validate for CheckResourceSetRequest {
    fn check(&self, report: &mut Report) {
        report.names(2, "actions", &self.actions);
        report.message(3, "principal", self.principal.as_ref(), principal);
        report.message(4, "resource", self.resource.as_ref(), |set, report| {
            report.text(1, "kind", &set.kind);
            report.version(2, &set.policy_version);
            report.required(3, "instances", set.instances.is_empty(), FieldType::TypeMessage);
            report.scope(4, &set.scope);
        });
        report.optional(6, "aux_data", self.aux_data.as_ref(), aux_data);
    }
}

impl Validate for authzen::AccessEvaluationRequest {
    fn check(&self, report: &mut Report) {
        report.message(1, "subject", self.subject.as_ref(), subject);
        report.message(2, "resource", self.resource.as_ref(), authzen_resource);
        report.message(3, "action", self.action.as_ref(), action);
    }
}

impl Validate for authzen::AccessEvaluationBatchRequest {
    fn check(&self, report: &mut Report) {
        let all = |has: fn(&authzen::access_evaluation_batch_request::Evaluation) -> bool| {
            self.evaluations.iter().all(has)
        };
        for (name, said) in [
            ("action", self.action.is_some() || all(|it| it.action.is_some())),
            ("subject", self.subject.is_some() || all(|it| it.subject.is_some())),
            ("resource", self.resource.is_some() || all(|it| it.resource.is_some())),
        ] {
            if !said {
                let article = if name == "action" { "an" } else { "a" };
                report.push_whole(
                    &format!("{name}s"),
                    &format!(
                        "either the default {name} must be set or all evaluations must have {article} {name}"
                    ),
                );
            }
        }
        report.optional(1, "subject", self.subject.as_ref(), subject);
        report.optional(2, "resource", self.resource.as_ref(), authzen_resource);
        report.optional(3, "action", self.action.as_ref(), action);
        if self.evaluations.is_empty() {
            let rule = [
                element(18, "repeated", FieldType::TypeMessage),
                element(1, "min_items", FieldType::TypeUint64),
            ];
            let field = element(5, "evaluations", FieldType::TypeMessage);
            report.push(Some(field), &rule, "repeated.min_items", "must contain at least 1 item(s)", false);
        }
        for (index, evaluation) in self.evaluations.iter().enumerate() {
            report.at(element(5, "evaluations", FieldType::TypeMessage).index(index), |report| {
                report.optional(1, "subject", evaluation.subject.as_ref(), subject);
                report.optional(2, "resource", evaluation.resource.as_ref(), authzen_resource);
                report.optional(3, "action", evaluation.action.as_ref(), action);
            });
        }
        let semantic = self.options.as_ref().map_or("", |options| options.evaluations_semantic.as_str());
        if !["", "execute_all", "deny_on_first_deny", "permit_on_first_permit"].contains(&semantic) {
            report.at(element(6, "options", FieldType::TypeMessage), |report| {
                let rule =
                    [element(14, "string", FieldType::TypeMessage), element(10, "in", FieldType::TypeString)];
                let message = "must be in list [, execute_all, deny_on_first_deny, permit_on_first_permit]";
                let field = element(1, "evaluations_semantic", FieldType::TypeString);
                report.push(Some(field), &rule, "string.in", message, false);
            });
        }
    }
}

fn principal(principal: &Principal, report: &mut Report) {
    report.text(1, "id", &principal.id);
    report.version(2, &principal.policy_version);
    report.names(3, "roles", &principal.roles);
    report.scope(5, &principal.scope);
}

fn resource(resource: &Resource, report: &mut Report) {
    report.text(1, "kind", &resource.kind);
    report.version(2, &resource.policy_version);
    report.text(3, "id", &resource.id);
    report.scope(5, &resource.scope);
}

fn aux_data(aux_data: &AuxData, report: &mut Report) {
    if aux_data.jwt.is_some() && !aux_data.jwts.is_empty() {
        let message = "Only one of the jwt or jwts fields must be set";
        report.push_whole("AuxData.only_one_jwt_field", message);
    }
    report.optional(1, "jwt", aux_data.jwt.as_ref(), |jwt, report| {
        report.text(1, "token", &jwt.token);
    });
    for (name, jwt) in &aux_data.jwts {
        let entry = element(2, "jwts", FieldType::TypeMessage).key(name);
        if name.is_empty() {
            let rule = not_empty(element(19, "map", FieldType::TypeMessage), "keys");
            report.push(Some(entry), &rule, "string.min_len", NOT_EMPTY, true);
        }
        report.at(entry, |report| report.text(1, "token", &jwt.token));
    }
}

fn subject(subject: &authzen::Subject, report: &mut Report) {
    report.text(1, "type", &subject.r#type);
    report.text(2, "id", &subject.id);
}

fn authzen_resource(resource: &authzen::Resource, report: &mut Report) {
    report.text(1, "type", &resource.r#type);
    report.text(2, "id", &resource.id);
}

fn action(action: &authzen::Action, report: &mut Report) {
    report.text(1, "name", &action.name);
}

/// The rule that no part of a list or map may be empty.
fn not_empty(container: Element<'static>, part: &'static str) -> [Element<'static>; 4] {
    [
        container,
        element(4, part, FieldType::TypeMessage),
        element(14, "string", FieldType::TypeMessage),
        element(2, "min_len", FieldType::TypeUint64),
    ]
}

/// A step of the path to a field.
#[derive(Clone, Copy)]
struct Element<'a> {
    number: i32,
    name: &'static str,
    kind: FieldType,
    subscript: Option<At<'a>>,
}

#[derive(Clone, Copy)]
enum At<'a> {
    Index(usize),
    Key(&'a str),
}

fn element<'a>(number: i32, name: &'static str, kind: FieldType) -> Element<'a> {
    Element { number, name, kind, subscript: None }
}

impl<'a> Element<'a> {
    fn index(self, index: usize) -> Self {
        Self { subscript: Some(At::Index(index)), ..self }
    }

    fn key(self, key: &'a str) -> Self {
        Self { subscript: Some(At::Key(key)), ..self }
    }

    fn to_proto(self) -> FieldPathElement {
        let mut element = FieldPathElement {
            field_number: self.number,
            field_name: self.name.to_owned(),
            field_type: self.kind.into(),
            ..FieldPathElement::default()
        };
        match self.subscript {
            None => {}
            Some(At::Index(index)) => element.subscript = Some(Subscript::Index(index as u64)),
            Some(At::Key(key)) => {
                element.key_type = FieldType::TypeString.into();
                element.value_type = FieldType::TypeMessage.into();
                element.subscript = Some(Subscript::StringKey(key.to_owned()));
            }
        }
        element
    }
}

/// So many are told. (The PDP tells all: of a request of 400 kB that is 80 MB.)
const MAX_VIOLATIONS: usize = 100;

/// Violations as they are found.
#[derive(Default)]
pub(crate) struct Report {
    path: Vec<FieldPathElement>,
    violations: Vec<Violation>,
    /// Whether there are others than those that are told.
    has_more: bool,
}

impl Report {
    fn at(&mut self, element: Element<'_>, check: impl FnOnce(&mut Self)) {
        if self.has_more {
            return;
        }
        self.path.push(element.to_proto());
        check(self);
        self.path.pop();
    }

    fn push(
        &mut self,
        field: Option<Element<'_>>,
        rule: &[Element<'_>],
        id: &str,
        message: &str,
        for_key: bool,
    ) {
        if self.violations.len() == MAX_VIOLATIONS {
            self.has_more = true;
            return;
        }
        let mut elements = self.path.clone();
        elements.extend(field.map(Element::to_proto));
        let rule = rule.iter().map(|element| element.to_proto()).collect::<Vec<_>>();
        let in_map =
            elements.iter().any(|element| matches!(element.subscript, Some(Subscript::StringKey(_))));
        self.violations.push(Violation {
            field: (!elements.is_empty()).then_some(FieldPath { elements }),
            rule: (!rule.is_empty()).then_some(FieldPath { elements: rule }),
            rule_id: id.to_owned(),
            message: message.to_owned(),
            for_key: in_map.then_some(for_key),
        });
    }

    /// About the message as a whole.
    fn push_whole(&mut self, id: &str, message: &str) {
        self.push(None, &[], id, message, false);
    }

    fn push_required(&mut self, field: Element<'_>) {
        self.push(Some(field), &[element(25, "required", FieldType::TypeBool)], "required", REQUIRED, false);
    }

    fn push_string(&mut self, field: Element<'_>, message: &str) {
        let rule =
            [element(14, "string", FieldType::TypeMessage), element(6, "pattern", FieldType::TypeString)];
        self.push(Some(field), &rule, "string.pattern", message, false);
    }

    /// Whether it is there.
    fn required(&mut self, number: i32, name: &'static str, missing: bool, kind: FieldType) -> bool {
        if missing {
            self.push_required(element(number, name, kind));
        }
        !missing
    }

    fn message<T>(
        &mut self,
        number: i32,
        name: &'static str,
        value: Option<&T>,
        check: impl FnOnce(&T, &mut Self),
    ) {
        if self.required(number, name, value.is_none(), FieldType::TypeMessage) {
            self.optional(number, name, value, check);
        }
    }

    fn optional<T>(
        &mut self,
        number: i32,
        name: &'static str,
        value: Option<&T>,
        check: impl FnOnce(&T, &mut Self),
    ) {
        if let Some(value) = value {
            self.at(element(number, name, FieldType::TypeMessage), |report| check(value, report));
        }
    }

    fn text(&mut self, number: i32, name: &'static str, text: &str) {
        self.required(number, name, text.is_empty(), FieldType::TypeString);
    }

    fn version(&mut self, number: i32, version: &str) {
        if !orthrus::contract::is_policy_version(version) {
            self.push_string(element(number, "policy_version", FieldType::TypeString), VERSION);
        }
    }

    fn scope(&mut self, number: i32, scope: &str) {
        if !orthrus::contract::is_scope(scope) {
            self.push_string(element(number, "scope", FieldType::TypeString), SCOPE);
        }
    }

    /// Resources with what is to be done with them; at least one.
    fn entries<'a>(
        &mut self,
        number: i32,
        entries: impl ExactSizeIterator<Item = (&'a Vec<String>, &'a Option<Resource>)>,
    ) {
        let field = element(number, "resources", FieldType::TypeMessage);
        if entries.len() == 0 {
            self.push_required(field);
        }
        for (index, (actions, asked)) in entries.enumerate() {
            self.at(field.index(index), |report| {
                report.names(1, "actions", actions);
                report.message(2, "resource", asked.as_ref(), resource);
            });
        }
    }

    /// At least one, none empty, none twice.
    fn names(&mut self, number: i32, name: &'static str, names: &[String]) {
        let field = element(number, name, FieldType::TypeString);
        if !self.required(number, name, names.is_empty(), FieldType::TypeString) {
            return;
        }
        if orthrus::contract::first_repeated(names).is_some() {
            let rule =
                [element(18, "repeated", FieldType::TypeMessage), element(3, "unique", FieldType::TypeBool)];
            self.push(Some(field), &rule, "repeated.unique", UNIQUE, false);
        }
        for (index, _) in names.iter().enumerate().filter(|(_, name)| name.is_empty()) {
            let rule = not_empty(element(18, "repeated", FieldType::TypeMessage), "items");
            self.push(Some(field.index(index)), &rule, "string.min_len", NOT_EMPTY, false);
        }
    }

    fn finish(self) -> Result<(), Status> {
        let more = self.has_more.then(|| "and others".to_owned());
        let lines: Vec<String> = self.violations.iter().map(line).chain(more).collect();
        let message = match lines.as_slice() {
            [] => return Ok(()),
            [line] => format!("validation error: {line}"),
            lines => format!("validation errors:\n - {}", lines.join("\n - ")),
        };
        Err(Status { violations: Violations { violations: self.violations }, ..Status::invalid(message) })
    }
}

/// A violation for people: where, and what.
fn line(violation: &Violation) -> String {
    let elements = violation.field.as_ref().map_or(&[][..], |field| &field.elements);
    let steps = elements.iter().map(|element| match &element.subscript {
        None => element.field_name.clone(),
        Some(Subscript::Index(index)) => format!("{}[{index}]", element.field_name),
        Some(Subscript::StringKey(key)) => format!("{}[{key:?}]", element.field_name),
    });
    let path = steps.collect::<Vec<_>>().join(".");
    if path.is_empty() { violation.message.clone() } else { format!("{path}: {}", violation.message) }
}
