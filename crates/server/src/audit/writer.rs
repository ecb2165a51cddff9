//! The thread that writes the audit log, so that no decision waits for a disk, unless it is so slow that lines would be lost.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::file::RotatedFile;
use crate::config::AuditFile;
use crate::host::{Event, Host, Level};
use crate::metrics::Metrics;

/// Lines that may wait to be written. With more, decisions wait.
const BACKLOG: usize = 16 << 10;

pub(super) struct Writer {
    lines: Mutex<Option<SyncSender<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Out {
    Stdout,
    Stderr,
    File(Box<RotatedFile>),
}

impl Writer {
    /// Opens the files; says which cannot be opened.
    pub(super) fn open(
        config: &AuditFile,
        metrics: Arc<Metrics>,
        host: Arc<dyn Host>,
    ) -> Result<Self, (String, String)> {
        let open = |path: &String| -> Result<Out, (String, String)> {
            Ok(match path.as_str() {
                "stdout" => Out::Stdout,
                "stderr" => Out::Stderr,
                path => {
                    let file = RotatedFile::open(Path::new(path), config.log_rotation.clone());
                    Out::File(Box::new(file.map_err(|error| (path.to_owned(), error.to_string()))?))
                }
            })
        };
        let paths = std::iter::once(&config.path).chain(&config.additional_paths);
        let outs: Vec<Out> = paths.map(open).collect::<Result<_, _>>()?;
        let (sender, receiver) = sync_channel(BACKLOG);
        let thread = thread::Builder::new().name("orthrus-audit".to_owned());
        let thread = thread
            .spawn(move || run(&receiver, outs, &metrics, host.as_ref()))
            .map_err(|error| (config.path.clone(), error.to_string()))?;
        Ok(Self { lines: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn write(&self, line: String) {
        let sender = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sender) = sender {
            // It fails where the thread has ended, which it does not before it is told to.
            let _sent = sender.send(line);
        }
    }

    pub(super) fn close(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of it has been reported by its hook.
            let _ended = thread.join();
        }
    }
}

fn run(lines: &Receiver<String>, mut outs: Vec<Out>, metrics: &Metrics, host: &dyn Host) {
    let mut failing = false;
    while let Ok(first) = lines.recv() {
        let mut result = write_all(&mut outs, &first, metrics);
        while let Ok(line) = lines.try_recv() {
            result = result.and(write_all(&mut outs, &line, metrics));
        }
        for out in &mut outs {
            let flushed = out.flush();
            if flushed.is_err() {
                metrics.audit_failed();
            }
            result = result.and(flushed);
        }
        // Said once, and again after it has worked.
        if let (false, Err(error)) = (failing, &result) {
            let event = Event::new(Level::Error, "orthrus.audit", "the audit log cannot be written");
            host.log(event.with("error", error.to_string()));
        }
        failing = result.is_err();
    }
}

fn write_all(outs: &mut [Out], line: &str, metrics: &Metrics) -> io::Result<()> {
    let mut result = Ok(());
    for out in outs {
        let written = out.write(line.as_bytes());
        if written.is_err() {
            metrics.audit_failed();
        }
        result = result.and(written);
    }
    result
}

impl Out {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().write_all(line),
            Self::Stderr => io::stderr().write_all(line),
            Self::File(file) => file.write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush(),
            Self::Stderr => io::stderr().flush(),
            Self::File(file) => file.flush(),
        }
    }
}
