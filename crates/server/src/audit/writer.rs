//! The thread that writes the audit log, so that no decision waits for a disk, unless it is so slow that lines would be lost.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::file::LineFile;
use crate::clock::FOREVER;
use crate::config::AuditFile;
use crate::host::{Event, Host, Level};
use crate::metrics::Metrics;

/// Lines that may wait to be written. With more, decisions wait.
const BACKLOG: usize = 16 << 10;

/// How often it is tried again to write what a disk does not take.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    lines: Mutex<Option<SyncSender<String>>>,
    /// Hears when the thread has ended.
    ended: Mutex<Receiver<Never>>,
}

/// What is never sent.
enum Never {}

impl Writer {
    /// Opens the files; says which cannot be opened.
    pub(super) fn open(
        config: &AuditFile,
        metrics: Arc<Metrics>,
        host: Arc<dyn Host>,
    ) -> Result<Self, (String, String)> {
        let open = |path: &String| -> Result<LineFile, (String, String)> {
            let file = match path.as_str() {
                "stdout" => duplicate(io::stdout()).map(LineFile::of),
                "stderr" => duplicate(io::stderr()).map(LineFile::of),
                path => LineFile::open(Path::new(path), config.log_rotation.clone()),
            };
            file.map_err(|error| (path.to_owned(), error.to_string()))
        };
        let paths = std::iter::once(&config.path).chain(&config.additional_paths);
        let outs: Vec<LineFile> = paths.map(open).collect::<Result<_, _>>()?;
        let (sender, receiver) = sync_channel(BACKLOG);
        let (alive, ended) = channel();
        thread::Builder::new()
            .name("orthrus-audit".to_owned())
            .spawn(move || run(&receiver, outs, &metrics, host.as_ref(), alive))
            .map_err(|error| (config.path.clone(), error.to_string()))?;
        Ok(Self { lines: Mutex::new(Some(sender)), ended: Mutex::new(ended) })
    }

    pub(super) fn write(&self, line: String) {
        let sender = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sender) = sender {
            // It fails where the thread has ended, which it does not before it is told to.
            let _sent = sender.send(line);
        }
    }

    /// Tells whether all was written in so much time, or failed to be.
    pub(super) fn close(&self, limit: Duration) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(ended.recv_timeout(limit), Err(RecvTimeoutError::Disconnected))
    }
}

/// A stream of the process without the buffer that others use.
#[cfg(unix)]
fn duplicate(stream: impl std::os::fd::AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn duplicate(stream: impl std::os::windows::io::AsHandle) -> io::Result<File> {
    stream.as_handle().try_clone_to_owned().map(File::from)
}

fn run(
    lines: &Receiver<String>,
    mut outs: Vec<LineFile>,
    metrics: &Metrics,
    host: &dyn Host,
    _alive: Sender<Never>,
) {
    let add = |outs: &mut [LineFile], line: &str| on_all(outs, metrics, |out| out.write(line.as_bytes()));
    let mut failing = false;
    loop {
        let mut result = Ok(());
        match lines.recv_timeout(if failing { RETRY } else { FOREVER }) {
            Ok(first) => {
                result = add(&mut outs, &first);
                while let Ok(line) = lines.try_recv() {
                    result = result.and(add(&mut outs, &line));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        result = result.and(on_all(&mut outs, metrics, LineFile::flush));
        // Said once, and again after it has worked.
        if let (false, Err(error)) = (failing, &result) {
            let event = Event::new(Level::Error, "orthrus.audit", "the audit log cannot be written");
            host.log(event.with("error", error.to_string()));
        }
        failing = result.is_err();
    }
    if let Err(error) = on_all(&mut outs, metrics, LineFile::flush) {
        let message = "the audit log cannot be written: what was still to be written is lost";
        host.log(Event::new(Level::Error, "orthrus.audit", message).with("error", error.to_string()));
    }
}

/// Goes on where one of them fails.
fn on_all(
    outs: &mut [LineFile],
    metrics: &Metrics,
    act: impl Fn(&mut LineFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut result = Ok(());
    for out in outs {
        let done = act(out);
        if done.is_err() {
            metrics.audit_failed();
        }
        result = result.and(done);
    }
    result
}
