//! What all parts of a running server share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::milliseconds;
use crate::config::ServerConfig;
use crate::gateway::Gateway;
use crate::host::{Event, Host, Level};
use crate::pdp::Pdp;

pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) pdp: Pdp,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) gateway: Option<Gateway>,
    started: SystemTime,
    serving: AtomicBool,
    /// Known once the sockets are.
    addresses: OnceLock<Addresses>,
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
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    pub(crate) driver: String,
    loaded: SystemTime,
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
        let started = SystemTime::now();
        let loads = Loads { driver: driver.to_owned(), loaded: started, failure: None };
        Self {
            config,
            pdp,
            host,
            gateway,
            started,
            serving: AtomicBool::new(true),
            addresses: OnceLock::new(),
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

    /// Where it listens; said once.
    pub(crate) fn set_addresses(&self, addresses: Addresses) {
        self.addresses.get_or_init(|| addresses);
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        self.addresses.get_or_init(Addresses::default)
    }

    /// The URL by which HTTP reaches this server at a host.
    pub(crate) fn base(&self, host: &str) -> String {
        let scheme = if self.config.server.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}")
    }

    pub(crate) fn loads(&self) -> MutexGuard<'_, Loads> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which policies decide, and whether newer ones are refused.
    pub(crate) fn policies_json(&self) -> Value {
        let policies = self.pdp.policies();
        let loads = self.loads().clone();
        let mut json = json!({
            "driver": loads.driver,
            "count": policies.engine.policy_count(),
            "loadedAt": milliseconds(loads.loaded),
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
        let loaded =
            outlines.iter().map(|it| json!({ "key": it.key, "file": it.file, "rules": it.rules.len() }));
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "status": if self.is_serving() { "SERVING" } else { "NOT_SERVING" },
            "startedAt": milliseconds(self.started),
            "addresses": self.addresses(),
            "policies": self.policies_json(),
            "loaded": loaded.collect::<Vec<_>>(),
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
        self.loaded = SystemTime::now();
        self.failure = None;
    }

    pub(crate) fn failed(&mut self, message: String) {
        self.failure = Some((SystemTime::now(), message));
    }
}
