//! `routes`: is a file of routes in order, and does it pass its tests?

use std::fs;
use std::io;

use orthrus::text::Source;
use orthrus_gateway::Routes;

use crate::Exit;
use crate::arguments::RoutesArguments;
use crate::report::{self, Palette};
use crate::terminal::{ColorChoice, Terminal};

/// The verb: reads the file, runs its tests, and shows what came of it.
pub(crate) fn verb(arguments: &RoutesArguments, terminal: &mut Terminal<'_>) -> io::Result<Exit> {
    let name = arguments.file.display().to_string();
    let text = match fs::read_to_string(&arguments.file) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("{name} cannot be read: {error}");
            return terminal.complain(&message).map(|()| Exit::Failure);
        }
    };
    let palette = Palette::new(terminal.colors(ColorChoice::Auto));
    let file = match Routes::from_source(&Source::new(name, text)) {
        Ok(file) => file,
        Err(diagnostics) => {
            terminal.print(&if arguments.json {
                report::diagnostics_json(&diagnostics)
            } else {
                report::diagnostics(&diagnostics, palette)
            })?;
            terminal.complain(&format!("failed to compile: {}", report::tally(&diagnostics)))?;
            return Ok(Exit::CompileFailed);
        }
    };
    let results: Vec<_> = file.tests.iter().map(|test| (test, test.run(&file.routes))).collect();
    terminal.print(&if arguments.json {
        report::route_tests_json(file.routes.len(), &results)
    } else {
        report::route_tests(file.routes.len(), &results, palette)
    })?;
    if results.iter().all(|(_, result)| result.is_ok()) {
        return Ok(Exit::Success);
    }
    terminal.complain("tests failed")?;
    Ok(Exit::TestsFailed)
}
