//! Paths, in the one spelling by which they are decided upon. The rules are those of `js/workers/path.ts`.

use unicode_normalization::is_nfc;

use crate::percent;

/// In UTF-16 units, as JavaScript counts. Longer paths are refused.
const MAX_LENGTH: usize = 2048;

/// What a path may not hold, and in words: different servers take it for different things.
type Ambiguity = (fn(&str) -> bool, &'static str);

const AMBIGUOUS: [Ambiguity; 6] = [
    (|path| !path.starts_with('/'), "no slash at its beginning"),
    (|path| holds_encoded(path, |byte| byte == b'/'), "an encoded slash"),
    (|path| path.contains('\\') || holds_encoded(path, |byte| byte == b'\\'), "a backslash"),
    (
        |path| path.contains(|c: char| c.is_ascii_control()) || holds_encoded(path, |b| b.is_ascii_control()),
        "a control character",
    ),
    (|path| path.contains(';') || holds_encoded(path, |byte| byte == b';'), "a parameter after a semicolon"),
    (|path| path.contains(['?', '#']), "a query or a fragment"),
];

/// A path that is taken for one thing by all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath {
    /// Decoded, one a segment; none of them is empty.
    pub segments: Vec<String>,
    /// As it is sent on: each segment encoded again, in one way whichever it came in.
    pub text: String,
}

/// A path without doubled, trailing or dot segments, decoded once. `path` is what stands before the `?`, as it came in.
///
/// # Errors
/// Why it has no meaning that is sure: the server that is asked for it might read it otherwise, and serve what was never
/// decided upon.
pub fn normalize_path(path: &str) -> Result<NormalPath, &'static str> {
    if path.encode_utf16().count() > MAX_LENGTH {
        return Err("more than 2048 characters");
    }
    if let Some((_, problem)) = AMBIGUOUS.iter().find(|(is_held, _)| is_held(path)) {
        return Err(problem);
    }
    let decoded = percent::decode(path).ok_or("an encoding that is no UTF-8")?;
    if percent::encoded_bytes(&decoded).next().is_some() {
        return Err("a double encoding");
    }
    // One letter can be written in several ways, which some file systems take for the same.
    if !is_nfc(&decoded) {
        return Err("characters that are not composed");
    }
    let segments: Vec<String> = decoded.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if segments.iter().any(|segment| matches!(segment.as_str(), "." | "..")) {
        return Err("a dot segment");
    }
    Ok(NormalPath { text: written(&segments), segments })
}

fn written(segments: &[String]) -> String {
    let mut text = String::from("/");
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            text.push('/');
        }
        percent::encode_into(&mut text, segment);
    }
    text
}

fn holds_encoded(path: &str, is: impl Fn(u8) -> bool) -> bool {
    percent::encoded_bytes(path).any(is)
}
