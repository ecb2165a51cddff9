//! The claims of Clerk's session tokens, versions 1 and 2
//! (<https://clerk.com/docs/guides/sessions/session-tokens>), as `js/identity/clerk-claims.ts` reads them.

use serde_json::{Map, Value, json};

use super::clerk_permissions::{Scoped, unpack};
use super::person::Attributes;
use super::read::{id, is_absent, record, text, texts};
use super::{MappingError, MappingErrorCode};

/// A session as its claims tell it.
#[derive(Debug)]
pub(super) struct ClerkSession<'c> {
    pub(super) user_id: &'c str,
    pub(super) session_id: &'c str,
    /// `active` or `pending`; absent in older tokens, which are of active sessions.
    pub(super) status: Option<&'c str>,
    pub(super) actor: Option<Actor<'c>>,
    /// The organization that is active in the session.
    pub(super) org: Option<Organization<'c>>,
    pub(super) plans: Scoped<'c>,
    pub(super) features: Scoped<'c>,
    /// Minutes since the first and the second factor were verified; None for one that never was.
    pub(super) factor_ages: Option<[Option<&'c Value>; 2]>,
}

/// Who acts in the user's place: a person (`user`), or an AI agent (`agent`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor<'c> {
    id: &'c str,
    kind: &'c str,
}

/// An organization, and what the session's user is and may do in it.
#[derive(Debug)]
pub(super) struct Organization<'c> {
    id: &'c str,
    slug: Option<&'c str>,
    /// With its prefix: `org:admin`.
    pub(super) role: Option<String>,
    /// With their prefix: `org:invoices:read`.
    permissions: Vec<String>,
}

type Claims = Map<String, Value>;

impl<'c> ClerkSession<'c> {
    /// The session that claims of either version describe.
    pub(super) fn read(claims: &'c Claims) -> Result<Self, MappingError> {
        let org = organization(claims)?;
        let has_org = org.is_some();
        Ok(Self {
            user_id: id(claims.get("sub"), "the claim sub")?,
            session_id: session_id(claims.get("sid"))?,
            status: text(claims.get("sts"), "the claim sts")?,
            actor: actor(claims.get("act"))?,
            org,
            plans: Scoped::read(claims.get("pla"), "pla")?.within(has_org),
            features: Scoped::read(claims.get("fea"), "fea")?.within(has_org),
            factor_ages: factor_ages(claims.get("fva"))?,
        })
    }
}

impl Actor<'_> {
    pub(super) fn attributes(self) -> Value {
        json!({ "id": self.id, "type": self.kind })
    }
}

impl Organization<'_> {
    pub(super) fn attributes(&self) -> Attributes {
        Attributes::default()
            .text("id", Some(self.id))
            .text("slug", self.slug)
            .text("role", self.role.as_deref())
            .with("permissions", json!(self.permissions))
    }
}

/// Tokens of JWT templates name no session, nor who impersonates its user: no such token may pass for a session.
fn session_id(sid: Option<&Value>) -> Result<&str, MappingError> {
    text(sid, "the claim sid")?.ok_or_else(|| {
        MappingError::invalid("these claims have no sid: they are not those of a session token")
    })
}

/// The actor in the claim `act`, if there is one.
pub(super) fn actor(act: Option<&Value>) -> Result<Option<Actor<'_>>, MappingError> {
    let Some(actor) = record(act, "the claim act")? else { return Ok(None) };
    let id = id(actor.get("sub"), "the claim act.sub")?;
    let kind = text(actor.get("type"), "the claim act.type")?.unwrap_or("user");
    Ok(Some(Actor { id, kind }))
}

fn organization(claims: &Claims) -> Result<Option<Organization<'_>>, MappingError> {
    let version = claims.get("v");
    let number = version.and_then(Value::as_f64);
    if number == Some(2.0) {
        let org = organization_of_version_2(claims)?;
        refuse_other(claims.get("org_id"), org.as_ref())?;
        return Ok(org);
    }
    if is_absent(version) || number == Some(1.0) {
        let org = organization_of_version_1(claims)?;
        let o = claims.get("o");
        let other = o.and_then(Value::as_object).map_or(o, |org| org.get("id"));
        refuse_other(other, org.as_ref())?;
        return Ok(org);
    }
    let version = version.map(Value::to_string).unwrap_or_default();
    let message = format!("session tokens of version {version} are not known");
    Err(MappingError::new(MappingErrorCode::Unsupported, message))
}

/// Claims that name an organization in the manner of the other version too, and another one, belong to nobody.
fn refuse_other(id: Option<&Value>, org: Option<&Organization<'_>>) -> Result<(), MappingError> {
    if is_absent(id) || id.and_then(Value::as_str).is_some_and(|id| org.is_some_and(|org| org.id == id)) {
        return Ok(());
    }
    Err(MappingError::invalid("the claims o.id and org_id name different organizations"))
}

fn organization_of_version_1(claims: &Claims) -> Result<Option<Organization<'_>>, MappingError> {
    let id = text(claims.get("org_id"), "the claim org_id")?;
    let role = text(claims.get("org_role"), "the claim org_role")?;
    let permissions = texts(claims.get("org_permissions"), "the claim org_permissions")?;
    let Some(id) = id else {
        if role.is_some() || !permissions.is_empty() {
            let message = "the claims have a role or permissions in an organization, and no organization";
            return Err(MappingError::invalid(message));
        }
        return Ok(None);
    };
    let slug = text(claims.get("org_slug"), "the claim org_slug")?;
    Ok(Some(Organization { id, slug, role: role.map(str::to_owned), permissions }))
}

fn organization_of_version_2(claims: &Claims) -> Result<Option<Organization<'_>>, MappingError> {
    let Some(org) = record(claims.get("o"), "the claim o")? else { return Ok(None) };
    let id = id(org.get("id"), "the claim o.id")?;
    let role = text(org.get("rol"), "the claim o.rol")?;
    let features = Scoped::read(claims.get("fea"), "fea")?.org;
    let slug = text(org.get("slg"), "the claim o.slg")?;
    let names = text(org.get("per"), "the claim o.per")?;
    let masks = text(org.get("fpm"), "the claim o.fpm")?;
    let permissions = unpack(&features, names, masks)?;
    Ok(Some(Organization { id, slug, role: role.map(|role| format!("org:{role}")), permissions }))
}

/// Clerk says -1 for never; that is left out, because a policy would read it as less than any limit.
fn factor_ages(ages: Option<&Value>) -> Result<Option<[Option<&Value>; 2]>, MappingError> {
    match ages {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(ages)) if ages.iter().all(Value::is_number) => match ages.as_slice() {
            [first, second] => Ok(Some([first, second].map(|age| Some(age).filter(|age| is_age(age))))),
            _ => Err(no_ages()),
        },
        Some(_) => Err(no_ages()),
    }
}

fn is_age(age: &Value) -> bool {
    age.as_f64().is_some_and(|age| age >= 0.0)
}

fn no_ages() -> MappingError {
    MappingError::invalid("the claim fva must be a list of two numbers")
}
