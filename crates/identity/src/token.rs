//! A token, taken apart: nothing in it is to be believed yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::json::{Object, parse_object};
use crate::refusal::Refusal;

/// Longer tokens are not looked at. HTTP servers take about as much for all headers together.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token in its parts.
pub(crate) struct Token<'a> {
    header_text: String,
    pub header: Header,
    /// The bytes of the payload.
    payload: Vec<u8>,
    /// What is signed: header and payload as they came.
    pub message: &'a [u8],
    pub signature: &'a str,
}

/// The members of a header that count. `jwk`, `jku`, `x5u` and `x5c` do not: a token cannot bring its own key.
pub(crate) struct Header {
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLarge(text.len()));
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Malformed("three parts, separated by dots, are expected".to_owned()));
        };
        // The signature is decoded anew where it is checked; that it can be decoded is a matter of form.
        decode("signature", signature)?;
        let bytes = decode("payload", payload)?;
        let header_text = utf8("header", decode("header", header)?)?;
        let members = parse_object(header_text.as_bytes())
            .map_err(|problem| Refusal::Malformed(format!("the header is not as it should be: {problem}")))?;
        Ok(Self {
            header: Header::of(&members)?,
            header_text,
            payload: bytes,
            message: &text.as_bytes()[..header.len() + 1 + payload.len()],
            signature,
        })
    }

    /// Header and payload as texts, and the payload's members.
    pub(crate) fn open(self) -> Result<(String, String, Object), Refusal> {
        let text = utf8("payload", self.payload)?;
        let claims = parse_object(text.as_bytes()).map_err(|problem| {
            Refusal::Malformed(format!("the payload is not as it should be: {problem}"))
        })?;
        Ok((self.header_text, text, claims))
    }
}

impl Header {
    fn of(members: &Object) -> Result<Self, Refusal> {
        if let Some(extensions) = members.get("crit") {
            let first = extensions.get(0).unwrap_or(extensions);
            return Err(Refusal::Critical(first.as_str().map_or_else(|| first.to_string(), str::to_owned)));
        }
        if members.contains_key("b64") {
            return Err(Refusal::Critical("b64".to_owned()));
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::Malformed(format!("{name} in the header must be a string"))),
        };
        let alg = text("alg")?
            .ok_or_else(|| Refusal::Malformed("the header names no algorithm (alg)".to_owned()))?;
        Ok(Self { alg, kid: text("kid")?, typ: text("typ")? })
    }
}

/// Strict base64url (RFC 4648, section 5): no padding, no other characters, no bits left over.
fn decode(part: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| Refusal::Malformed(format!("the {part} is not base64url: {error}")))
}

fn utf8(part: &str, bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| Refusal::Malformed(format!("the {part} is not UTF-8")))
}
