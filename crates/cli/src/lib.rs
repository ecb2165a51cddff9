//! The command line of orthrus: one file a verb.
//!
//! [`run`] is the whole program but its streams; npm's `orthrus` command calls it through the addon. [`compile`], [`verify`]
//! and [`bundle`] are what the verbs do, for callers that want results and no text.

mod arguments;
pub mod bundle;
pub mod compile;
mod help;
mod inspect;
mod report;
mod routes;
mod terminal;
pub mod verify;

use std::ffi::OsString;
use std::io;

use arguments::Command;
pub use terminal::{Environment, Terminal};

/// How a run ends, with the exit codes of the Cerbos command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Success = 0,
    /// Something else failed: the directory cannot be read, the output cannot be written.
    Failure = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// The policies, or the routes, are wrong.
    CompileFailed = 3,
    /// Tests failed, or could not be run.
    TestsFailed = 4,
}

impl Exit {
    /// The exit code of the process.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Runs the program. `arguments` are without its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, terminal: &mut Terminal<'_>) -> Exit {
    match dispatch(arguments, terminal) {
        Ok(exit) => exit,
        // Whoever reads the output has seen enough: `orthrus … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            // The output cannot be written; perhaps the complaint can.
            let _ = terminal.complain(&error.to_string());
            Exit::Failure
        }
    }
}

fn dispatch(arguments: impl IntoIterator<Item = OsString>, terminal: &mut Terminal<'_>) -> io::Result<Exit> {
    match arguments::parse(arguments) {
        Ok(Command::Help(text)) => terminal.print(text).map(|()| Exit::Success),
        Ok(Command::Version) => {
            terminal.print(concat!(env!("CARGO_PKG_VERSION"), "\n")).map(|()| Exit::Success)
        }
        Ok(Command::Compile(arguments)) => compile::verb(&arguments, terminal),
        Ok(Command::Bundle(arguments)) => bundle::verb(&arguments, terminal),
        Ok(Command::Inspect(arguments)) => inspect::verb(&arguments, terminal),
        Ok(Command::Routes(arguments)) => routes::verb(&arguments, terminal),
        Err(error) => {
            terminal.complain(&error.to_string())?;
            terminal.note(&format!("run `orthrus {}--help` to see what there is\n", error.verb()))?;
            Ok(Exit::Usage)
        }
    }
}
