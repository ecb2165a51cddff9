//! Arguments of `routes`.

use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};
use lexopt::Parser;

use super::bundle::is_json;
use super::{Command, UsageError, unknown};
use crate::help;

pub(crate) struct RoutesArguments {
    pub(crate) file: PathBuf,
    pub(crate) json: bool,
}

const ROUTES: &str = "routes ";
const ROUTES_OPTIONS: [&str; 3] = ["help", "version", "output"];

pub(super) fn routes(parser: &mut Parser) -> Result<Command, UsageError> {
    let usage = |error: lexopt::Error| UsageError::new(ROUTES, error);
    let (mut file, mut json) = (None, false);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(help::ROUTES)),
            Long("version") => return Ok(Command::Version),
            Long("output") | Short('o') => json = is_json(ROUTES, &parser.value().map_err(usage)?)?,
            Long(option) => {
                let name = option.to_owned();
                return Err(UsageError::new(ROUTES, unknown("option", &name, &ROUTES_OPTIONS)));
            }
            Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            argument => return Err(usage(argument.unexpected())),
        }
    }
    let file = file.ok_or_else(|| UsageError::new(ROUTES, "the file of the routes is missing"))?;
    Ok(Command::Routes(RoutesArguments { file, json }))
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
    fn how_it_is_shown() {
        for (line, json) in
            [("routes a", false), ("routes a -o json", true), ("routes --output=text a", false)]
        {
            let Ok(Command::Routes(arguments)) = parsed(line) else { panic!("{line} is not understood") };
            assert_eq!((arguments.file, arguments.json), (PathBuf::from("a"), json), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood() {
        for (line, message) in [
            ("routes", "the file of the routes is missing"),
            ("routes a b", "unexpected argument \"b\""),
            ("routes a --outptu json", "there is no option `outptu`; did you mean `output`?"),
            ("routes a -o tree", "--output must be one of text, json, got `tree`"),
            ("route a", "there is no verb `route`; did you mean `routes`?"),
        ] {
            let Err(error) = parsed(line) else { panic!("{line} is understood") };
            assert_eq!(error.to_string(), message, "{line}");
        }
    }

    #[test]
    fn every_option_is_in_the_help() {
        assert!(matches!(parsed("routes -h"), Ok(Command::Help(text)) if text == help::ROUTES));
        for option in ROUTES_OPTIONS.iter().filter(|option| **option != "version") {
            assert!(help::ROUTES.contains(&format!("--{option}")), "{option}");
        }
    }
}
