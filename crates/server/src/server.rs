//! What all parts of a running server share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::config::ServerConfig;
use crate::gateway::Gateway;
use crate::host::{Event, Host, Level};
use crate::pdp::Pdp;

pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) pdp: Pdp,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) gateway: Option<Gateway>,
    serving: AtomicBool,
    addresses: Mutex<Addresses>,
    loads: Mutex<Loads>,
}

/// Where a server listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// `HOST:PORT`, or `unix:PATH`.
    pub http: String,
    /// The same of gRPC; none where it is not served.
    pub grpc: Option<String>,
}

/// Where policies come from, and when they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads {
    pub(crate) driver: String,
    started: Option<SystemTime>,
    loaded: Option<SystemTime>,
    /// Why the newest policies are not those that decide.
    failure: Option<(SystemTime, String)>,
}

impl Shared {
    pub(crate) fn new(
        config: ServerConfig,
        pdp: Pdp,
        host: Arc<dyn Host>,
        gateway: Option<Gateway>,
        driver: &str,
    ) -> Self {
        let now = Some(SystemTime::now());
        let loads = Loads { driver: driver.to_owned(), started: now, loaded: now, failure: None };
        Self {
            config,
            pdp,
            host,
            gateway,
            serving: AtomicBool::new(true),
            addresses: Mutex::default(),
            loads: Mutex::new(loads),
        }
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Relaxed)
    }

    /// From now on health says that others should be asked.
    pub(crate) fn drain(&self) {
        self.serving.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_addresses(&self, addresses: Addresses) {
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// The URL by which HTTP reaches this server, as far as it knows.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.config.server.tls.is_some() { "https" } else { "http" };
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{scheme}://{}", addresses.http.replace("[::]", "localhost"))
    }

    pub(crate) fn loads(&self) -> std::sync::MutexGuard<'_, Loads> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which policies decide, and whether newer ones are refused.
    pub(crate) fn policies_json(&self) -> Value {
        let policies = self.pdp.policies();
        let loads = self.loads().clone();
        let mut json = json!({
            "driver": loads.driver,
            "count": policies.engine.policy_count(),
            "loadedAt": loads.loaded.map(milliseconds),
        });
        if let Some(identity) = &policies.bundle {
            json["digest"] = identity.to_string().into();
        }
        if let Some((at, message)) = loads.failure {
            json["failure"] = json!({ "at": milliseconds(at), "message": message });
        }
        json
    }

    pub(crate) fn state_json(&self) -> Value {
        let policies = self.pdp.policies();
        let outlines = policies.engine.outlines();
        let outline = |outline: &orthrus::table::PolicyOutline<'_>| json!({ "key": outline.key, "file": outline.file, "rules": outline.rules.len() });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "status": if self.is_serving() { "SERVING" } else { "NOT_SERVING" },
            "startedAt": self.loads().started.map(milliseconds),
            "addresses": *self.addresses.lock().unwrap_or_else(PoisonError::into_inner),
            "policies": self.policies_json(),
            "loaded": outlines.iter().map(outline).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn log_payload(&self, call: &Call, answer: &impl Serialize) {
        let event = Event::new(Level::Info, "orthrus.payload", "a call is answered")
            .with("callId", call.id.as_str())
            .with("method", call.method)
            .with("response", serde_json::to_value(answer).unwrap_or_default());
        self.host.log(event);
    }
}

impl Loads {
    pub(crate) fn succeeded(&mut self) {
        self.loaded = Some(SystemTime::now());
        self.failure = None;
    }

    pub(crate) fn failed(&mut self, message: String) {
        self.failure = Some((SystemTime::now(), message));
    }
}

fn milliseconds(at: SystemTime) -> u64 {
    let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
