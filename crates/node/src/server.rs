//! Servers. JavaScript holds one by an external, keeps its policies and keys, and hears by one function what it needs and what happens.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::{External, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue};
use napi::{Env, Result, Status, Task};
use orthrus::text::Source;
use orthrus_host::diagnostics_json;
use orthrus_identity::Verifier;
use orthrus_server::config::{ServerConfig, plain, read_config};
use orthrus_server::{Answer, Event, Host, Level, Origin, Running, StartError, start};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::engines::{self, Loaded};
use crate::error::Failure;

/// A server, until it is stopped.
pub struct Server {
    running: Mutex<Option<Running>>,
    asked: Arc<Asked>,
}

/// The function that hears, called with one JSON text: an event, or a question with a number. It does not keep the process: the
/// server is kept by JavaScript, until it is stopped.
type Hear = ThreadsafeFunction<String, UnknownReturnValue, String, Status, false, true, QUEUE>;

/// As many texts may wait for JavaScript. What happens meanwhile is counted, and what is asked has no answer.
const QUEUE: usize = 1024;

/// What JavaScript is asked, by number.
struct Asked {
    hear: Hear,
    last: AtomicU32,
    waiting: Mutex<HashMap<u32, oneshot::Sender<std::result::Result<bool, String>>>>,
}

impl Asked {
    fn ask(self: &Arc<Self>, mut question: Value) -> Answer<bool> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        question["number"] = number.into();
        let asked = self.hear.call(question.to_string(), ThreadsafeFunctionCallMode::NonBlocking);
        if asked != Status::Ok {
            self.answer(number, Err("the process is too busy".to_owned()));
        }
        Box::pin(async move { receiver.await.unwrap_or_else(|_| Err("the server is stopping".to_owned())) })
    }

    fn answer(&self, number: u32, answer: std::result::Result<bool, String>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if let Some(sender) = waiting {
            // Who asked may have been cancelled.
            let _sent = sender.send(answer);
        }
    }
}

/// The process as the server sees it. Events have a queue of their own, so that many of them are in nobody's way who asks.
struct Process {
    asked: Arc<Asked>,
    hear: Hear,
    /// Events that were not told since the last one that was.
    untold: AtomicU64,
}

impl Process {
    fn tell(&self, event: &Event) -> bool {
        let line = json!({
            "level": event.level.as_str(),
            "logger": event.logger,
            "message": event.message,
            "fields": event.fields,
        });
        self.hear.call(line.to_string(), ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok
    }
}

impl Host for Process {
    fn keys(&self, key_set: usize, renew: bool) -> Answer<()> {
        let asked = self.asked.ask(json!({ "ask": "keys", "keySet": key_set, "renew": renew }));
        Box::pin(async move { asked.await.map(drop) })
    }

    fn is_revoked(&self, claims: String) -> Answer<bool> {
        self.asked.ask(json!({ "ask": "revoked", "claims": claims }))
    }

    fn log(&self, event: Event) {
        if !self.tell(&event) {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let untold = self.untold.swap(0, Ordering::Relaxed);
        if untold > 0 {
            let message = "the process was too busy to hear all that happened";
            let event = Event::new(Level::Warn, "orthrus.server", message).with("untold", untold);
            if !self.tell(&event) {
                self.untold.fetch_add(untold, Ordering::Relaxed);
            }
        }
    }
}

/// What a server is started with, as JavaScript gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    config: ServerConfig,
    driver: String,
    directory: String,
}

pub(crate) fn serve(
    engine: u32,
    options: &str,
    hear: Function<'_, String, UnknownReturnValue>,
) -> Result<Server> {
    let mut deserializer = serde_json::Deserializer::from_str(options);
    let options: Options = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        wrong_option(path.strip_prefix("config.").unwrap_or(&path), &plain(&error.inner().to_string()))
    })?;
    let Loaded { policies, took } = engines::get(engine)?;
    let build = || hear.build_threadsafe_function().weak::<true>().max_queue_size::<QUEUE>().build();
    let asked = Arc::new(Asked { hear: build()?, last: AtomicU32::new(0), waiting: Mutex::default() });
    let host = Process { asked: Arc::clone(&asked), hear: build()?, untold: AtomicU64::new(0) };
    let host: Arc<dyn Host> = Arc::new(host);
    let origin = Origin { driver: options.driver, directory: options.directory, took };
    let started = catch_unwind(AssertUnwindSafe(|| start(options.config, policies, &origin, host)));
    let running = started.map_err(|_| Failure::PANICKED)?.map_err(|error| match error {
        StartError::Config { path, message } => wrong_option(&path, &message),
        error @ (StartError::Listen { .. } | StartError::Threads(_)) => Failure::Server(error.to_string()),
    })?;
    Ok(Server { running: Mutex::new(Some(running)), asked })
}

fn wrong_option(path: &str, message: &str) -> Failure {
    Failure::Option { path: path.to_owned(), message: message.to_owned() }
}

impl Server {
    fn with(&self, run: impl FnOnce(&Running)) {
        if let Some(running) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            run(running);
        }
    }

    /// JSON; `null` once it is stopped.
    pub(crate) fn addresses(&self) -> String {
        let mut addresses = Value::Null;
        self.with(|running| addresses = json!(running.addresses()));
        addresses.to_string()
    }

    pub(crate) fn set_policies(&self, engine: u32) -> Result<()> {
        let Loaded { policies, took } = engines::get(engine)?;
        self.with(|running| running.set_policies(policies, took));
        Ok(())
    }

    pub(crate) fn policies_failed(&self, message: String) {
        self.with(|running| running.policies_failed(message));
    }

    pub(crate) fn set_keys(&self, key_set: u32, verifier: Option<&External<Arc<Verifier>>>) {
        let verifier = verifier.map(|it| Arc::clone(it));
        self.with(|running| running.set_keys(key_set as usize, verifier));
    }

    pub(crate) fn answer(&self, number: u32, error: Option<String>, answer: bool) {
        self.asked.answer(number, error.map_or(Ok(answer), Err));
    }

    pub(crate) fn stop(&self, grace: f64) -> Stop {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Infinite, or as good as that.
        let without_limit = if grace > 0.0 { Duration::MAX } else { Duration::ZERO };
        Stop { running, grace: Duration::try_from_secs_f64(grace / 1000.0).unwrap_or(without_limit) }
    }
}

/// Stopping a server, which waits for what is under way.
pub struct Stop {
    running: Option<Running>,
    grace: Duration,
}

impl Task for Stop {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        let (running, grace) = (self.running.take(), self.grace);
        let stop = || running.into_iter().for_each(|running| running.stop(grace));
        Ok(catch_unwind(AssertUnwindSafe(stop)).map_err(|_| Failure::PANICKED)?)
    }

    fn resolve(&mut self, _env: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Reads a configuration file: JSON with `file`, `places` and `warnings`.
pub(crate) fn config(name: String, text: String, overrides: &str, environment: &str) -> Result<String> {
    let read = |text: &str| -> std::result::Result<_, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::options(error.to_string()))
    };
    let overrides: Vec<(String, String)> =
        serde_json::from_str(overrides).map_err(|error| Failure::options(error.to_string()))?;
    let environment: BTreeMap<String, String> = read(environment)?;
    let source = Source::new(name, text);
    let config = read_config(&source, &overrides, &|name| environment.get(name).cloned())
        .map_err(|diagnostics| Failure::Host(orthrus_host::Failure::Policies(diagnostics)))?;
    let json = json!({
        "file": config.file,
        "places": config.places,
        "warnings": diagnostics_json(&config.warnings),
    });
    Ok(json.to_string())
}
