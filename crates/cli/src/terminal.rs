//! Where text goes, and whether it may be coloured.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

/// The streams of a run.
pub struct Terminal<'t> {
    out: &'t mut dyn Write,
    err: &'t mut dyn Write,
    environment: Environment,
    progress: Option<Progress>,
}

/// What decides about colours and progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment {
    /// Whether the output is read by a person.
    pub out_is_terminal: bool,
    /// Whether messages are read by a person.
    pub err_is_terminal: bool,
    /// What the environment says of colours: `NO_COLOR` and `TERM=dumb` forbid them, `FORCE_COLOR` demands them.
    pub color: Option<bool>,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = || is_set("FORCE_COLOR").then(|| env::var_os("FORCE_COLOR").is_some_and(|it| it != "0"));
        let dumb = || env::var_os("TERM").is_some_and(|term| term == "dumb").then_some(false);
        Self {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            color: is_set("NO_COLOR").then_some(false).or_else(forced).or_else(dumb),
        }
    }
}

/// When colours are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColorChoice {
    /// Where a person reads.
    #[default]
    Auto,
    Always,
    Never,
}

/// A line that tells how far the work is, overwritten as it goes on.
struct Progress {
    shown: Instant,
    length: usize,
}

const PROGRESS_EVERY: Duration = Duration::from_millis(100);

impl<'t> Terminal<'t> {
    /// Text goes to these writers.
    pub fn new(out: &'t mut dyn Write, err: &'t mut dyn Write, environment: Environment) -> Self {
        Self { out, err, environment, progress: None }
    }

    /// Prints what was asked for.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        self.clear_progress()?;
        write_all(self.out, text.as_bytes())
    }

    /// The same for what is no text.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.clear_progress()?;
        write_all(self.out, bytes)
    }

    /// Tells something beside what was asked for.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        self.clear_progress()?;
        write_all(self.err, text.as_bytes())
    }

    /// Tells what went wrong.
    pub(crate) fn complain(&mut self, message: &str) -> io::Result<()> {
        self.note(&format!("orthrus: error: {}\n", message.trim_end()))
    }

    /// Whether what is printed may have colours.
    pub(crate) fn colors(&self, choice: ColorChoice) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.environment.color.unwrap_or(self.environment.out_is_terminal),
        }
    }

    /// Shows how far the work is, where a person waits for it. A progress that cannot be shown is not missed.
    pub(crate) fn progress(&mut self, text: &str) {
        if !self.environment.err_is_terminal {
            return;
        }
        let now = Instant::now();
        let progress = self.progress.get_or_insert(Progress { shown: now, length: 0 });
        if now.duration_since(progress.shown) < PROGRESS_EVERY {
            return;
        }
        let width = progress.length.max(text.chars().count());
        *progress = Progress { shown: now, length: text.chars().count() };
        let _ = write_all(self.err, format!("\r{text:width$}").as_bytes());
    }

    fn clear_progress(&mut self) -> io::Result<()> {
        match self.progress.take() {
            Some(Progress { length, .. }) if length > 0 => {
                write_all(self.err, format!("\r{:length$}\r", "").as_bytes())
            }
            _ => Ok(()),
        }
    }
}

/// Writes and flushes. Node.js may have switched the stream to not block: then what does not fit has to wait.
fn write_all(stream: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
    loop {
        match stream.flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(1));
            }
            flushed => return flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes at every second attempt.
    struct Reluctant(Vec<u8>, bool);

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(3);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn streams_that_do_not_block_get_all_of_the_text() {
        let mut stream = Reluctant(Vec::new(), false);
        write_all(&mut stream, b"all of the text").unwrap();
        assert_eq!(stream.0, b"all of the text");
    }

    #[test]
    fn progress_is_shown_to_people_only_and_wiped_away() {
        for (err_is_terminal, expected) in [(true, "\rhalf\r    \rdone\n"), (false, "done\n")] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let environment = Environment { err_is_terminal, ..Environment::default() };
            let mut terminal = Terminal::new(&mut out, &mut err, environment);
            terminal.progress("too early");
            thread::sleep(PROGRESS_EVERY);
            terminal.progress("half");
            terminal.note("done\n").unwrap();
            assert_eq!(String::from_utf8(err).unwrap(), expected);
        }
    }

    #[test]
    fn colours() {
        let colors = |color, out_is_terminal, choice| {
            let environment = Environment { color, out_is_terminal, err_is_terminal: false };
            Terminal::new(&mut Vec::new(), &mut Vec::new(), environment).colors(choice)
        };
        assert!(colors(None, true, ColorChoice::Auto));
        assert!(!colors(None, false, ColorChoice::Auto));
        assert!(!colors(Some(false), true, ColorChoice::Auto));
        assert!(colors(Some(true), false, ColorChoice::Auto));
        assert!(colors(Some(false), false, ColorChoice::Always));
        assert!(!colors(Some(true), true, ColorChoice::Never));
    }
}
