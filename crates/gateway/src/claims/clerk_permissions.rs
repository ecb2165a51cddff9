//! How version 2 of Clerk's session tokens packs permissions: `fea` lists features, `o.per` permissions, and `o.fpm` has for
//! each feature of the organization a number whose bit k, from the least significant, says whether the feature has
//! permission k.

use serde_json::{Value, json};

use super::MappingError;
use super::read::text;

/// Names that hold for the organization, and names that hold for the user.
#[derive(Debug, Default)]
pub(super) struct Scoped<'c> {
    pub(super) org: Vec<&'c str>,
    user: Vec<&'c str>,
}

impl<'c> Scoped<'c> {
    /// `o:pro,u:beta,ou:reports` by the scopes before the colons; scopes that are not known hold for nobody.
    pub(super) fn read(value: Option<&'c Value>, claim: &str) -> Result<Self, MappingError> {
        let mut scoped = Self::default();
        let Some(list) = text(value, format_args!("the claim {claim}"))? else { return Ok(scoped) };
        for element in list.split(',') {
            let parts = trim(element).split_once(':');
            let Some((scopes, name)) = parts.filter(|(_, name)| !name.is_empty() && !name.contains(is_break))
            else {
                let element = Value::from(element);
                let message = format!("the claim {claim} has the malformed element {element}");
                return Err(MappingError::invalid(message));
            };
            if matches!(scopes, "o" | "ou" | "uo") {
                scoped.org.push(name);
            }
            if matches!(scopes, "u" | "ou" | "uo") {
                scoped.user.push(name);
            }
        }
        Ok(scoped)
    }

    /// What holds for the organization holds only while one is active.
    pub(super) fn within(self, has_org: bool) -> Self {
        Self { org: if has_org { self.org } else { Vec::new() }, ..self }
    }

    pub(super) fn attributes(&self) -> Value {
        json!({ "org": self.org, "user": self.user })
    }
}

/// The permissions of all features, with their prefix.
pub(super) fn unpack(
    features: &[&str],
    names: Option<&str>,
    masks: Option<&str>,
) -> Result<Vec<String>, MappingError> {
    let (Some(names), Some(masks)) = (names, masks) else { return Ok(Vec::new()) };
    let names: Vec<&str> = names.split(',').map(trim).collect();
    let masks: Vec<Mask> = masks.split(',').map(Mask::parse).collect::<Result<_, _>>()?;
    let permissions = features.iter().zip(&masks).flat_map(|(feature, mask)| {
        let names = names.iter().enumerate().filter(|(bit, _)| mask.has(*bit));
        names.map(move |(_, name)| format!("org:{feature}:{name}"))
    });
    Ok(permissions.collect())
}

/// A number of any length: one bit a permission, 32 of them a limb, the lowest first.
struct Mask(Vec<u32>);

impl Mask {
    /// More than this is no honest token.
    const MAX_DIGITS: usize = 1000;

    /// Reads a decimal number.
    fn parse(element: &str) -> Result<Self, MappingError> {
        let digits = trim(element);
        if digits.is_empty()
            || digits.len() > Self::MAX_DIGITS
            || !digits.bytes().all(|digit| digit.is_ascii_digit())
        {
            let start = Value::from(element.chars().take(40).collect::<String>());
            let message = format!("the claim o.fpm has the malformed element {start}");
            return Err(MappingError::invalid(message));
        }
        let mut mask = Self(Vec::new());
        digits.bytes().for_each(|digit| mask.append(u64::from(digit - b'0')));
        Ok(mask)
    }

    /// Writes a decimal digit behind the number.
    fn append(&mut self, digit: u64) {
        let mut carry = digit;
        for limb in &mut self.0 {
            let value = u64::from(*limb) * 10 + carry;
            // The low half stays, the high half goes on.
            *limb = (value & u64::from(u32::MAX)) as u32;
            carry = value >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn has(&self, bit: usize) -> bool {
        self.0.get(bit / 32).is_some_and(|limb| limb >> (bit % 32) & 1 == 1)
    }
}

/// Without the white space of JavaScript around it.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace() && c != '\u{85}')
}

/// What ends a line in JavaScript.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_any_length() {
        // 2^200 + 2^33 + 1
        let mask = "1606938044258990275541962092341162602522202993782801425235969";
        let mask = Mask::parse(mask).unwrap();
        assert_eq!((0..300).filter(|bit| mask.has(*bit)).collect::<Vec<_>>(), [0, 33, 200]);
        for wrong in ["", "-1", "0x1", "1 2", "١"] {
            assert!(Mask::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Mask::parse(&"9".repeat(1000)).is_ok());
        assert!(Mask::parse(&"9".repeat(1001)).is_err());
    }
}
