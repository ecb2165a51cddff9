//! Variables of the environment in a configuration: `${NAME}` and `${NAME:default}`; `$$` is a dollar.

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unsubstituted {
    /// The variable is not set, and there is no default.
    Unset(String),
    /// There is no `}`.
    Unclosed,
}

/// The text with its variables replaced; none where there are none in it.
pub(super) fn substitute(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Unsubstituted> {
    if !text.contains('$') {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or(Unsubstituted::Unclosed)?;
            let (name, default) = after[..end]
                .split_once(':')
                .map_or((&after[..end], None), |(name, default)| (name, Some(default)));
            let value = variable(name).filter(|value| !value.is_empty());
            match value.or_else(|| default.map(str::to_owned)) {
                Some(value) => out.push_str(&value),
                None => return Err(Unsubstituted::Unset(name.to_owned())),
            }
            rest = &after[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_defaults() {
        let variable = |name: &str| match name {
            "PORT" => Some("4000".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("plain", None),
            (":${PORT}", Some(":4000")),
            ("${PORT:1}-${NONE:2}", Some("4000-2")),
            ("${EMPTY:x}", Some("x")),
            ("${NONE:}", Some("")),
            ("${NONE:a:b}", Some("a:b")),
            ("$$ and $x", Some("$ and $x")),
        ] {
            assert_eq!(substitute(text, &variable), Ok(expected.map(str::to_owned)), "{text}");
        }
        assert_eq!(substitute("${NONE}", &variable), Err(Unsubstituted::Unset("NONE".to_owned())));
        assert_eq!(substitute("a ${PORT", &variable), Err(Unsubstituted::Unclosed));
    }
}
