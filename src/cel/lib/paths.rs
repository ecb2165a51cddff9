//! Cerbos' functions of paths: of Unix (`/a/b`), of Windows drives (`C:\a`) and of Windows shares
//! (`\\host\share\a`), whatever the machine. A path is rewritten to a Unix path, worked on as Go's
//! `path/filepath` does, and written back.

use super::Declaration;
use super::glob;
use crate::cel::{Activation, EvalError, EvalResult, List, Value};

/// A function of one path that gives a text.
macro_rules! of_path {
    ($name:literal, $doc:literal, $run:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!($name, "(string) -> string")],
            run: |ctx, args| match *args {
                [Value::String(path)] => text(ctx, $run(path)),
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

/// A check of two texts, as a function and as a member.
macro_rules! path_check {
    ($name:literal, $doc:literal, $run:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!($name, "(string, string) -> bool"),
                concat!("string.", $name, "(string) -> bool"),
            ],
            run: |ctx, args| match *args {
                [Value::String(path), Value::String(other)] => {
                    $run(path, other).map(Value::Bool).map_err(|message| error(ctx, &message))
                }
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] =
    &[
        of_path!("basePath", "The last element of a path", |path| Ok(
            base(&Encoded::new(path)?.value).to_owned()
        )),
        of_path!("dirPath", "A path without its last element", dir),
        of_path!("extPath", "The extension of the last element, with its dot", |path| {
            Ok(extension(&Encoded::new(path)?.value).to_owned())
        }),
        of_path!("volumeName", "The drive or the share of a Windows path; empty for others", |path| {
            Ok::<_, String>(volume_name(path))
        }),
        Declaration {
            name: "joinPath",
            doc: "Paths put together",
            signatures: &["joinPath(list(string)) -> string"],
            run: join_path,
        },
        path_check!("pathHasPrefix", "Whether a path is, or lies below, another", has_prefix),
        path_check!("pathMatch", "Whether a path matches a shell pattern (`*`, `?`, `[a-z]`)", path_match),
        Declaration {
            name: "pathMatchAnyOf",
            doc: "Whether a path matches one of the shell patterns",
            signatures: &[
                "pathMatchAnyOf(string, list(string)) -> bool",
                "string.pathMatchAnyOf(list(string)) -> bool",
            ],
            run: match_any_of,
        },
        Declaration {
            name: "relPath",
            doc: "The way from the first path to the second",
            signatures: &["relPath(string, string) -> string"],
            run: |ctx, args| match *args {
                [Value::String(base), Value::String(target)] => text(ctx, relative(base, target)),
                _ => Err(EvalError::NoSuchOverload),
            },
        },
    ];

fn error<'a>(ctx: &Activation<'a>, message: &str) -> EvalError<'a> {
    EvalError::message(ctx.arena, format_args!("{message}"))
}

fn text<'a>(ctx: &Activation<'a>, result: Result<String, String>) -> EvalResult<'a> {
    match result {
        Ok(text) => Ok(Value::String(ctx.arena.alloc_str(&text))),
        Err(message) => Err(error(ctx, &message)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Unix, or Windows without a drive or share.
    Plain,
    Drive,
    Share,
}

/// A path as a clean Unix path: `\\host\share\a` is `/host/share/a`, `C:\a` is `/C:/a`.
struct Encoded {
    value: String,
    kind: Kind,
    backslashes: bool,
    /// Whether there is nothing above it.
    root: bool,
}

impl Encoded {
    fn new(path: &str) -> Result<Self, String> {
        Self::named(path, "path")
    }

    /// `name` is what errors call the path.
    fn named(path: &str, name: &str) -> Result<Self, String> {
        let backslashes = path.contains('\\');
        let (kind, value, root) = if let Some(share) = path.strip_prefix(r"\\") {
            (Kind::Share, path.replace('\\', "/"), share.splitn(3, '\\').count() == 2)
        } else if is_drive(path) {
            if !backslashes && path.len() > 2 {
                return Err(format!("failed to encode {name} {path}: unsupported Win32 path"));
            }
            (Kind::Drive, format!("/{}", path.replace('\\', "/")), path.len() <= 3)
        } else {
            (Kind::Plain, path.replace('\\', "/"), path == "/")
        };
        Ok(Self { value: clean(&value), kind, backslashes, root })
    }

    fn decode(&self) -> String {
        let windows = || self.value.replace('/', "\\");
        match self.kind {
            Kind::Share => format!("\\{}", windows()),
            Kind::Drive => windows().strip_prefix('\\').map_or_else(windows, str::to_owned),
            Kind::Plain if self.backslashes => windows(),
            Kind::Plain => self.value.clone(),
        }
    }
}

fn is_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Go's `filepath.Clean`: no empty and no `.` elements, and `..` only at the start of a relative path.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => match elements.last() {
                Some(&last) if last != ".." => {
                    elements.pop();
                }
                _ if rooted => {}
                _ => elements.push(".."),
            },
            _ => elements.push(element),
        }
    }
    match (rooted, elements.is_empty()) {
        (true, _) => format!("/{}", elements.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => elements.join("/"),
    }
}

/// The last element of a clean path.
fn base(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((_, "")) => "/",
        Some((_, last)) => last,
        None => path,
    }
}

fn extension(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rfind('.').map_or("", |dot| &last[dot..])
}

fn dir(path: &str) -> Result<String, String> {
    let mut encoded = Encoded::new(path)?;
    if encoded.root && encoded.kind != Kind::Plain {
        let separator = if encoded.kind == Kind::Drive { "\\" } else { "" };
        return Ok(encoded.decode() + separator);
    }
    let parent = match encoded.value.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    };
    encoded.value = parent.to_owned();
    Ok(encoded.decode())
}

fn join_path<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    let paths = strings(ctx, list)?;
    let joined = match paths.as_slice() {
        [] => Ok(String::new()),
        [only] => Ok((*only).to_owned()),
        [first, rest @ ..] => join(first, rest),
    };
    text(ctx, joined)
}

fn strings<'a>(ctx: &Activation<'a>, list: List<'a>) -> Result<Vec<&'a str>, EvalError<'a>> {
    super::strings::all_strings(ctx, list)?;
    let text = |element| match element {
        Value::String(text) => Some(text),
        _ => None,
    };
    Ok(list.iter().filter_map(text).collect())
}

fn join(first: &str, rest: &[&str]) -> Result<String, String> {
    let mut joined = Encoded::named(first, "first path")?;
    for path in rest {
        joined.value = clean(&format!("{}/{}", joined.value, Encoded::new(path)?.value));
    }
    Ok(joined.decode())
}

fn relative(base: &str, target: &str) -> Result<String, String> {
    let from = Encoded::named(base, "base path")?;
    let mut to = Encoded::named(target, "target path")?;
    if from.value.starts_with('/') != to.value.starts_with('/') {
        return Err(format!(
            "failed to determine relative path of {target}: Rel: can't make {} relative to {}",
            to.value, from.value
        ));
    }
    let elements = |path: &str| -> Vec<String> {
        path.split('/').filter(|element| !element.is_empty() && *element != ".").map(str::to_owned).collect()
    };
    let from_value = from.value;
    let (from, path) = (elements(&from_value), elements(&to.value));
    let common = from.iter().zip(&path).take_while(|(a, b)| a == b).count();
    if from[common..].iter().any(|element| element == "..") {
        return Err(format!(
            "failed to determine relative path of {target}: Rel: can't make {} relative to {}",
            to.value, from_value
        ));
    }
    let up = std::iter::repeat_n("..", from.len() - common);
    let way: Vec<&str> = up.chain(path[common..].iter().map(String::as_str)).collect();
    to.value = if way.is_empty() { ".".to_owned() } else { way.join("/") };
    Ok(match to.kind {
        _ if matches!(to.value.as_str(), "." | "..") => to.value,
        Kind::Share => to.value.replace('/', "\\"),
        Kind::Drive | Kind::Plain => to.decode(),
    })
}

fn has_prefix(path: &str, prefix: &str) -> Result<bool, String> {
    if path == prefix {
        return Ok(true);
    }
    let way = relative(prefix, path)?;
    Ok(way.starts_with(|first| first != '.' && first != '/'))
}

fn path_match(path: &str, pattern: &str) -> Result<bool, String> {
    let (path_text, pattern_text) = (Encoded::new(path)?.value, Encoded::named(pattern, "pattern")?.value);
    glob::matches(&pattern_text, &path_text).ok_or_else(|| {
        format!("failed to match pattern {pattern:?} on path {path:?}: syntax error in pattern")
    })
}

fn match_any_of<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(path), Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    for pattern in strings(ctx, list)? {
        if path_match(path, pattern).map_err(|message| error(ctx, &message))? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn volume_name(path: &str) -> String {
    if let Some(share) = path.strip_prefix(r"\\") {
        let mut parts = share.splitn(3, '\\');
        return match (parts.next(), parts.next()) {
            (Some(host), Some(name)) if !host.is_empty() && !name.is_empty() => format!(r"\\{host}\{name}"),
            _ => String::new(),
        };
    }
    if is_drive(path) { path.chars().take(2).collect() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        let cases = [
            ("", "."),
            ("/", "/"),
            ("/../a", "/a"),
            ("a//b/./c/..", "a/b"),
            ("../../a", "../../a"),
            ("a/..", "."),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn paths_without_a_parent() {
        assert_eq!(dir("a").as_deref(), Ok("."));
        assert_eq!(dir(r"a\").as_deref(), Ok("."));
        assert_eq!(dir("/a").as_deref(), Ok("/"));
    }

    #[test]
    fn there_may_be_no_way() {
        assert!(relative("/a", "b").is_err() && relative("..", "a").is_err());
    }
}
