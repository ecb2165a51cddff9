//! Principals of clients that are known by a certificate.

use serde_json::{Map, json};

use crate::claims::GatewayPrincipal;

const SPIFFE: &str = "spiffe://";

/// The principal of a certificate that was verified: its SPIFFE ID, or else its first other alternative name, or else the
/// common name of its subject. None where it has none of them, or several SPIFFE IDs: such a certificate is no SVID, and
/// whose it is nobody can tell. None as well where the SPIFFE ID is malformed: a proxy may have written it in another way.
///
/// The attributes are `authenticated`, `type` (`certificate`), and what there is of `commonName` and `sans`.
#[must_use]
pub fn principal_from_certificate(
    subject_common_name: Option<&str>,
    sans: &[String],
    role: &str,
) -> Option<GatewayPrincipal> {
    let common_name = subject_common_name.filter(|name| !name.is_empty());
    let sans: Vec<&str> = sans.iter().map(String::as_str).filter(|san| !san.is_empty()).collect();
    let mut spiffe = sans.iter().copied().filter(|san| is_spiffe(san));
    let id = match (spiffe.next(), spiffe.next()) {
        (Some(_), Some(_)) => return None,
        (Some(id), None) => Some(id).filter(|id| is_well_formed(id))?,
        (None, _) => sans.first().copied().or(common_name)?,
    };
    let mut attr = Map::new();
    attr.insert("authenticated".to_owned(), json!(true));
    attr.insert("type".to_owned(), json!("certificate"));
    if let Some(name) = common_name {
        attr.insert("commonName".to_owned(), json!(name));
    }
    if !sans.is_empty() {
        attr.insert("sans".to_owned(), json!(sans));
    }
    Some(GatewayPrincipal::new(id, vec![role.to_owned()], attr))
}

/// Schemes are the same in any case.
fn is_spiffe(san: &str) -> bool {
    san.get(..SPIFFE.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SPIFFE))
}

/// Whether a SPIFFE ID has the form of the standard (SPIFFE-ID, 2): a trust domain, and segments none of which is empty or dots.
fn is_well_formed(id: &str) -> bool {
    let is_name_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    let is_domain = |name: &str| !name.is_empty() && name.bytes().all(is_name_byte);
    let is_segment = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name.bytes().all(|byte| is_name_byte(byte) || byte.is_ascii_uppercase())
    };
    let Some(rest) = id.strip_prefix(SPIFFE) else { return false };
    let mut parts = rest.split('/');
    parts.next().is_some_and(is_domain) && parts.all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_its_most_telling_name() {
        for (common_name, sans, id) in [
            (Some("api"), &["spiffe://acme/api", "api.acme.test"][..], Some("spiffe://acme/api")),
            (Some("api"), &["api.acme.test", "spiffe://acme/api"], Some("spiffe://acme/api")),
            (Some("api"), &["", "api.acme.test"], Some("api.acme.test")),
            (Some("api"), &[], Some("api")),
            (Some("api"), &["spiffe://acme/a", "SPIFFE://acme/b"], None),
            (None, &["spiffe://acme"], Some("spiffe://acme")),
            (Some("api"), &["SPIFFE://acme/a"], None),
            (Some("api"), &["spiffe://acme/a,spiffe://acme/b"], None),
            (Some("api"), &["spiffe://acme/a!"], None),
            (Some("api"), &["spiffe://acme/../a"], None),
            (Some("api"), &["spiffe://acme/a/"], None),
            (Some("api"), &["spiffe:///a"], None),
            (Some(""), &[""], None),
            (None, &[], None),
        ] {
            let sans: Vec<String> = sans.iter().map(|san| (*san).to_owned()).collect();
            let principal = principal_from_certificate(common_name, &sans, "service");
            assert_eq!(principal.as_ref().map(|it| it.id.as_str()), id, "{common_name:?} {sans:?}");
            assert!(principal.is_none_or(|it| it.roles == ["service"]));
        }
    }

    #[test]
    fn attributes_tell_what_it_says() {
        let attr = |name, sans: &[String]| principal_from_certificate(name, sans, "service").unwrap().attr;
        let all = attr(Some("api"), &["api.acme.test".to_owned()]);
        let expected = json!({
            "authenticated": true, "type": "certificate", "commonName": "api", "sans": ["api.acme.test"],
        });
        assert_eq!(serde_json::Value::from(all), expected);
        assert!(!attr(Some("api"), &[]).contains_key("sans"));
    }
}
