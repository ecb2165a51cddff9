//! Arguments, as the Cerbos command takes them.

mod bundle;
mod routes;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};
use lexopt::{Parser, ValueExt};
use orthrus::text::nearest;

pub(crate) use bundle::{BundleArguments, InspectArguments};
pub(crate) use routes::RoutesArguments;

use crate::compile::CompileOptions;
use crate::help;
use crate::terminal::ColorChoice;
use crate::verify::TestFilter;

/// What is to be done.
pub(crate) enum Command {
    Help(&'static str),
    Version,
    Compile(Box<CompileArguments>),
    Bundle(BundleArguments),
    Inspect(InspectArguments),
    Routes(RoutesArguments),
}

pub(crate) struct CompileArguments {
    pub(crate) directory: PathBuf,
    pub(crate) options: CompileOptions,
    pub(crate) output: Format,
    pub(crate) test_output: TestFormat,
    pub(crate) color: ColorChoice,
    pub(crate) verbose: bool,
}

/// How mistakes in policies are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tree and list: for people.
    Text,
    Json,
}

/// How test results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestFormat {
    Tree,
    List,
    Json,
    JUnit,
}

/// Arguments that cannot be understood.
#[derive(Debug)]
pub(crate) struct UsageError {
    verb: &'static str,
    message: String,
}

impl UsageError {
    fn new(verb: &'static str, message: impl fmt::Display) -> Self {
        Self { verb, message: message.to_string() }
    }

    /// The verb with a space after it; empty where there is none.
    pub(crate) fn verb(&self) -> &'static str {
        self.verb
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

const VERBS: [&str; 5] = ["compile", "bundle", "inspect", "routes", "server"];
const COMPILE: &str = "compile ";

/// Every option of `compile`, for suggestions.
const COMPILE_OPTIONS: [&str; 13] = [
    "help",
    "version",
    "ignore-schemas",
    "skip-tests",
    "tests",
    "test-filter",
    "skip-batching",
    "strict-evaluation",
    "output",
    "test-output",
    "verbose",
    "color",
    "no-color",
];

pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut parser = Parser::from_args(arguments);
    let usage = |error: lexopt::Error| UsageError::new("", error);
    match parser.next().map_err(usage)? {
        None | Some(Long("help") | Short('h')) => Ok(Command::Help(help::PROGRAM)),
        Some(Long("version") | Short('v')) => Ok(Command::Version),
        Some(Value(verb)) if verb == "compile" => compile(&mut parser),
        Some(Value(verb)) if verb == "bundle" => bundle::bundle(&mut parser),
        Some(Value(verb)) if verb == "inspect" => bundle::inspect(&mut parser),
        Some(Value(verb)) if verb == "routes" => routes::routes(&mut parser),
        Some(Value(verb)) => Err(UsageError::new("", unknown("verb", &verb.to_string_lossy(), &VERBS))),
        Some(argument) => Err(usage(argument.unexpected())),
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known.iter().copied());
    let hint = hint.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("there is no {what} `{name}`{hint}")
}

fn compile(parser: &mut Parser) -> Result<Command, UsageError> {
    let usage = |error: lexopt::Error| UsageError::new(COMPILE, error);
    let mut directory: Option<PathBuf> = None;
    let mut options = CompileOptions::default();
    let (mut output, mut test_output) = (TestFormat::Tree, None);
    let (mut color, mut no_color, mut verbose) = (None, false, false);
    let mut filters: Vec<String> = Vec::new();
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(help::COMPILE)),
            Long("version") => return Ok(Command::Version),
            Long("ignore-schemas") => options.ignore_schemas = true,
            Long("skip-tests") => options.skip_tests = true,
            Long("tests") => options.tests = Some(parser.value().map_err(usage)?.into()),
            Long("test-filter") => filters.push(text(parser)?),
            Long("skip-batching") => options.skip_batching = true,
            Long("strict-evaluation") => options.strict_evaluation = true,
            Long("output") | Short('o') => output = format("--output", &text(parser)?, &FORMATS[..3])?,
            Long("test-output") => test_output = Some(format("--test-output", &text(parser)?, &FORMATS)?),
            Long("verbose") => verbose = true,
            Long("color") => color = Some(color_choice(parser)?),
            Long("no-color") => no_color = true,
            Long(option) => {
                let name = option.to_owned();
                return Err(UsageError::new(COMPILE, unknown("option", &name, &COMPILE_OPTIONS)));
            }
            Value(path) if directory.is_none() => directory = Some(path.into()),
            argument => return Err(usage(argument.unexpected())),
        }
    }
    if color.is_some() && no_color {
        return Err(UsageError::new(COMPILE, "`--color` and `--no-color` exclude each other"));
    }
    let directory =
        directory.ok_or_else(|| UsageError::new(COMPILE, "the directory of the policies is missing"))?;
    options.filter = TestFilter::new(filters.iter().map(String::as_str))
        .map_err(|error| UsageError::new(COMPILE, format_args!("--test-filter: {error}")))?;
    options.trace = verbose;
    Ok(Command::Compile(Box::new(CompileArguments {
        directory,
        options,
        output: if output == TestFormat::Json { Format::Json } else { Format::Text },
        test_output: test_output.unwrap_or(output),
        color: if no_color { ColorChoice::Never } else { color.unwrap_or_default() },
        verbose,
    })))
}

fn text(parser: &mut Parser) -> Result<String, UsageError> {
    parser.value().and_then(ValueExt::string).map_err(|error| UsageError::new(COMPILE, error))
}

const FORMATS: [(&str, TestFormat); 4] = [
    ("tree", TestFormat::Tree),
    ("list", TestFormat::List),
    ("json", TestFormat::Json),
    ("junit", TestFormat::JUnit),
];

fn format(option: &str, name: &str, formats: &[(&str, TestFormat)]) -> Result<TestFormat, UsageError> {
    let found = formats.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    found.ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|(name, _)| *name).collect();
        UsageError::new(COMPILE, format_args!("{option} must be one of {}, got `{name}`", names.join(", ")))
    })
}

/// The level may be left out (`--color` means always), and may follow after a space: then it is taken only if it is
/// one, for it might as well be the directory.
fn color_choice(parser: &mut Parser) -> Result<ColorChoice, UsageError> {
    if let Some(value) = parser.optional_value() {
        let message = format!(
            "--color must be one of auto, always, never, 256, 16m, got `{}`",
            value.to_string_lossy()
        );
        return color_named(&value).ok_or_else(|| UsageError::new(COMPILE, message));
    }
    let next = parser.try_raw_args().and_then(|mut rest| rest.next_if(|it| color_named(it).is_some()));
    Ok(next.and_then(|value| color_named(&value)).unwrap_or(ColorChoice::Always))
}

fn color_named(name: &OsStr) -> Option<ColorChoice> {
    match name.to_str()? {
        "auto" => Some(ColorChoice::Auto),
        "always" | "true" | "256" | "16m" | "full" | "truecolor" => Some(ColorChoice::Always),
        "never" | "false" => Some(ColorChoice::Never),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn compiled(line: &str) -> CompileArguments {
        match parsed(line) {
            Ok(Command::Compile(arguments)) => *arguments,
            Ok(_) => panic!("{line}: not understood as compile"),
            Err(error) => panic!("{line}: {error}"),
        }
    }

    #[test]
    fn tests_are_shown_as_mistakes_are_unless_told_otherwise() {
        let formats = |line: &str| {
            let arguments = compiled(line);
            (arguments.output, arguments.test_output)
        };
        assert_eq!(formats("compile dir"), (Format::Text, TestFormat::Tree));
        assert_eq!(formats("compile -o list dir"), (Format::Text, TestFormat::List));
        assert_eq!(formats("compile dir --output=json"), (Format::Json, TestFormat::Json));
        assert_eq!(formats("compile -ojson dir --test-output junit"), (Format::Json, TestFormat::JUnit));
    }

    #[test]
    fn the_level_of_colour_may_be_left_out() {
        for (line, choice) in [
            ("compile dir", ColorChoice::Auto),
            ("compile dir --color", ColorChoice::Always),
            ("compile --color dir", ColorChoice::Always),
            ("compile --color never dir", ColorChoice::Never),
            ("compile --color=16m dir", ColorChoice::Always),
            ("compile --color=auto dir", ColorChoice::Auto),
            ("compile --no-color dir", ColorChoice::Never),
        ] {
            let arguments = compiled(line);
            assert_eq!((arguments.color, arguments.directory), (choice, PathBuf::from("dir")), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood() {
        for (line, message) in [
            ("comple", "there is no verb `comple`; did you mean `compile`?"),
            ("--verbos", "invalid option '--verbos'"),
            ("compile", "the directory of the policies is missing"),
            ("compile a b", "unexpected argument \"b\""),
            ("compile a --skip-test", "there is no option `skip-test`; did you mean `skip-tests`?"),
            ("compile a -x", "invalid option '-x'"),
            ("compile a -o junit", "--output must be one of tree, list, json, got `junit`"),
            ("compile a --color=red", "--color must be one of auto, always, never, 256, 16m, got `red`"),
            ("compile a --color --no-color", "`--color` and `--no-color` exclude each other"),
            ("compile a --test-filter", "missing argument for option '--test-filter'"),
            (
                "compile a --test-filter suit=a",
                "--test-filter: there is no part `suit`: there are suite, test, principal, resource and action",
            ),
        ] {
            let Err(error) = parsed(line) else { panic!("{line} is understood") };
            assert_eq!(error.to_string(), message, "{line}");
        }
    }

    #[test]
    fn help_and_version() {
        for (line, text) in [("", help::PROGRAM), ("-h", help::PROGRAM), ("compile --help", help::COMPILE)] {
            assert!(matches!(parsed(line), Ok(Command::Help(help)) if help == text), "{line}");
        }
        assert!(matches!(parsed("-v"), Ok(Command::Version)));
    }

    #[test]
    fn every_option_is_in_the_help() {
        for option in COMPILE_OPTIONS.iter().filter(|option| **option != "version") {
            assert!(help::COMPILE.contains(&format!("--{option}")), "{option}");
        }
    }
}
