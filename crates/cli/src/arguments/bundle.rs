//! Arguments of `bundle` and `inspect`.

use std::ffi::OsStr;
use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};
use lexopt::Parser;

use super::{Command, UsageError, unknown};
use crate::help;

pub(crate) struct BundleArguments {
    pub(crate) directory: PathBuf,
    /// None for the standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) sign_key: Option<PathBuf>,
    pub(crate) ignore_schemas: bool,
}

pub(crate) struct InspectArguments {
    pub(crate) bundle: PathBuf,
    pub(crate) public_key: Option<PathBuf>,
    pub(crate) json: bool,
}

const BUNDLE: &str = "bundle ";
const INSPECT: &str = "inspect ";
pub(super) const BUNDLE_OPTIONS: [&str; 5] = ["help", "version", "output", "sign-key", "ignore-schemas"];
pub(super) const INSPECT_OPTIONS: [&str; 4] = ["help", "version", "public-key", "output"];

pub(super) fn bundle(parser: &mut Parser) -> Result<Command, UsageError> {
    let usage = |error: lexopt::Error| UsageError::new(BUNDLE, error);
    let (mut directory, mut output, mut sign_key, mut ignore_schemas) = (None, None, None, false);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(help::BUNDLE)),
            Long("version") => return Ok(Command::Version),
            Long("output") | Short('o') => output = Some(PathBuf::from(parser.value().map_err(usage)?)),
            Long("sign-key") => sign_key = Some(PathBuf::from(parser.value().map_err(usage)?)),
            Long("ignore-schemas") => ignore_schemas = true,
            Long(option) => {
                let name = option.to_owned();
                return Err(UsageError::new(BUNDLE, unknown("option", &name, &BUNDLE_OPTIONS)));
            }
            Value(path) if directory.is_none() => directory = Some(PathBuf::from(path)),
            argument => return Err(usage(argument.unexpected())),
        }
    }
    let missing = |what: &str| UsageError::new(BUNDLE, format_args!("{what} is missing"));
    let output = output.ok_or_else(|| missing("the file to write, `-o policies.orb`,"))?;
    Ok(Command::Bundle(BundleArguments {
        directory: directory.ok_or_else(|| missing("the directory of the policies"))?,
        output: Some(output).filter(|path| path.as_os_str() != "-"),
        sign_key,
        ignore_schemas,
    }))
}

pub(super) fn inspect(parser: &mut Parser) -> Result<Command, UsageError> {
    let usage = |error: lexopt::Error| UsageError::new(INSPECT, error);
    let (mut bundle, mut public_key, mut json) = (None, None, false);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(help::INSPECT)),
            Long("version") => return Ok(Command::Version),
            Long("public-key") => public_key = Some(PathBuf::from(parser.value().map_err(usage)?)),
            Long("output") | Short('o') => json = is_json(INSPECT, &parser.value().map_err(usage)?)?,
            Long(option) => {
                let name = option.to_owned();
                return Err(UsageError::new(INSPECT, unknown("option", &name, &INSPECT_OPTIONS)));
            }
            Value(path) if bundle.is_none() => bundle = Some(PathBuf::from(path)),
            argument => return Err(usage(argument.unexpected())),
        }
    }
    let bundle = bundle.ok_or_else(|| UsageError::new(INSPECT, "the bundle is missing"))?;
    Ok(Command::Inspect(InspectArguments { bundle, public_key, json }))
}

/// The value of `--output` where there is one format for people and one for programs.
pub(super) fn is_json(verb: &'static str, format: &OsStr) -> Result<bool, UsageError> {
    match format.to_str() {
        Some("text") => Ok(false),
        Some("json") => Ok(true),
        _ => {
            let got = format.to_string_lossy();
            Err(UsageError::new(verb, format_args!("--output must be one of text, json, got `{got}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::parse;
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn where_the_bundle_goes() {
        for (line, output) in [("bundle a -o b.orb", Some("b.orb")), ("bundle --output=- a", None)] {
            let Ok(Command::Bundle(arguments)) = parsed(line) else { panic!("{line} is not understood") };
            assert_eq!(arguments.output, output.map(PathBuf::from), "{line}");
            assert_eq!(arguments.directory, PathBuf::from("a"));
        }
    }

    #[test]
    fn what_is_not_understood() {
        for (line, message) in [
            ("bundle a", "the file to write, `-o policies.orb`, is missing"),
            ("bundle -o b", "the directory of the policies is missing"),
            ("bundle a -o b --sign-kee k", "there is no option `sign-kee`; did you mean `sign-key`?"),
            ("bundle a b -o c", "unexpected argument \"b\""),
            ("inspect", "the bundle is missing"),
            ("inspect b -o yaml", "--output must be one of text, json, got `yaml`"),
            ("inspekt b", "there is no verb `inspekt`; did you mean `inspect`?"),
        ] {
            let Err(error) = parsed(line) else { panic!("{line} is understood") };
            assert_eq!(error.to_string(), message, "{line}");
        }
    }

    #[test]
    fn every_option_is_in_the_help() {
        for (options, help) in [(&BUNDLE_OPTIONS[..], help::BUNDLE), (&INSPECT_OPTIONS, help::INSPECT)] {
            for option in options.iter().filter(|option| **option != "version") {
                assert!(help.contains(&format!("--{option}")), "{option}");
            }
        }
    }
}
