//! Starting and stopping.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orthrus_host::PolicySet;
use orthrus_identity::Verifier;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic_health::server::HealthReporter;

use crate::audit::AuditLog;
use crate::clock::FOREVER;
use crate::config::{Listening, ServerConfig};
use crate::connection::{Course, Terms};
use crate::gateway::Gateway;
use crate::host::{Event, Host, Level};
use crate::listen::{Socket, serve};
use crate::metrics::Metrics;
use crate::pdp::Pdp;
use crate::server::{Addresses, Shared};
use crate::tls::Tls;
use crate::tokens::Tokens;
use crate::trace::Tracer;
use crate::{grpc, http};

/// How often it is looked whether certificates or routes have changed.
const LOOK: Duration = Duration::from_secs(5);

/// So long calls may take to end that are cut, and the audit log to be written then.
const FLUSH: Duration = Duration::from_secs(2);

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration is wrong.
    Config {
        /// Where in it.
        path: String,
        /// What is wrong there.
        message: String,
    },
    /// A socket cannot be had.
    Listen {
        /// Which.
        address: String,
        /// Why.
        error: std::io::Error,
    },
    /// The threads cannot be had.
    Threads(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { path, message } => write!(f, "{path}: {message}"),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Threads(error) => write!(f, "cannot start threads: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Where policies come from, as far as a server tells it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `disk`, `bundle` or the like.
    pub driver: String,
    /// The directory; empty where there is none.
    pub directory: String,
    /// How long the policies took to load.
    pub took: Duration,
}

/// A server that runs, until it is stopped or dropped.
pub struct Running {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    course: watch::Sender<Course>,
    serving: JoinSet<()>,
    health: Option<HealthReporter>,
}

/// Starts a server on threads of its own. When this returns, it answers.
///
/// # Errors
/// The configuration is wrong, or a socket cannot be had.
pub fn start(
    config: ServerConfig,
    policies: Arc<PolicySet>,
    origin: &Origin,
    host: Arc<dyn Host>,
) -> Result<Running, StartError> {
    check_numbers(&config.server)?;
    let mut builder = Builder::new_multi_thread();
    if config.server.threads > 0 {
        builder.worker_threads(config.server.threads);
    }
    let runtime = builder.thread_name("orthrus-server").enable_all().build().map_err(StartError::Threads)?;
    // Exporters of traces want a runtime around them.
    let entered = runtime.enter();
    let shared = Arc::new(share(config, policies, origin, host)?);
    let tls = shared.config.server.tls.as_ref().map(Tls::open).transpose().map_err(|error| {
        StartError::Config { path: format!("server.tls.{}", error.key), message: error.message }
    })?;
    let (http_socket, grpc_socket) = runtime.block_on(bind(&shared.config))?;
    shared.set_addresses(Addresses {
        http: http_socket.address(),
        grpc: grpc_socket.as_ref().map(Socket::address),
    });
    let (course, followed) = watch::channel(Course::Serve);
    let mut serving = JoinSet::new();
    let advanced = &shared.config.server.advanced;
    let router = http::router(&shared);
    let over_http = serve(http_socket, tls.clone(), router, Terms::of_http(advanced), followed.clone());
    serving.spawn_on(over_http, runtime.handle());
    let mut health = None;
    if let Some(socket) = grpc_socket {
        let (router, reporter) = grpc::router(&shared);
        runtime.block_on(grpc::report(&reporter, true));
        health = Some(reporter);
        let over_grpc = serve(socket, tls.clone(), router, Terms::of_grpc(advanced), followed);
        serving.spawn_on(over_grpc, runtime.handle());
    }
    runtime.spawn(watch_files(tls, Arc::clone(&shared)));
    drop(entered);
    Ok(Running { runtime: Some(runtime), shared, course, serving, health })
}

/// Numbers that no server can do with.
fn check_numbers(listening: &Listening) -> Result<(), StartError> {
    let limits = &listening.request_limits;
    let grpc = &listening.advanced.grpc;
    for (key, value, least, most) in [
        // As in the PDP.
        ("requestLimits.maxActionsPerResource", limits.max_actions_per_resource, 1, 500),
        ("requestLimits.maxResourcesPerRequest", limits.max_resources_per_request, 1, 500),
        ("advanced.grpc.maxRecvMsgSizeBytes", grpc.max_recv_msg_size_bytes, 1, u32::MAX as usize),
        ("threads", listening.threads, 0, 1024),
    ] {
        if !(least..=most).contains(&value) {
            let message = format!("must be from {least} to {most}, got {value}");
            return Err(StartError::Config { path: format!("server.{key}"), message });
        }
    }
    Ok(())
}

fn share(
    config: ServerConfig,
    policies: Arc<PolicySet>,
    origin: &Origin,
    host: Arc<dyn Host>,
) -> Result<Shared, StartError> {
    let metrics = Arc::new(Metrics::new());
    metrics.loaded(&origin.driver, policies.engine.policy_count(), origin.took);
    let tokens = Tokens::new(config.tokens.clone(), Arc::clone(&host));
    let audit = AuditLog::open(&config.audit, &origin.directory, &metrics, &host)?;
    let gateway = config.gateway.as_ref().map(|it| Gateway::new(it, &config.tokens)).transpose()?;
    let tracer = if config.traces {
        Tracer::from_environment(&host)
            .map_err(|message| StartError::Config { path: "traces".to_owned(), message })?
    } else {
        Tracer::off()
    };
    let listening = &config.server;
    let max_message = listening.advanced.grpc.max_recv_msg_size_bytes;
    let pdp = Pdp::new(policies, listening.request_limits, max_message, tokens, audit, metrics, tracer);
    Ok(Shared::new(config, pdp, host, gateway, &origin.driver))
}

async fn bind(config: &ServerConfig) -> Result<(Socket, Option<Socket>), StartError> {
    let listening = &config.server;
    let digits = listening.uds_file_mode.trim_start_matches("0o");
    let mode = u32::from_str_radix(digits, 8).map_err(|_| StartError::Config {
        path: "server.udsFileMode".to_owned(),
        message: format!(
            "`{}` are no permissions: write them in octal, such as 0o766",
            listening.uds_file_mode
        ),
    })?;
    let bind = async |key: &str, address: &str| {
        Socket::check(address)
            .map_err(|message| StartError::Config { path: format!("server.{key}"), message })?;
        let bound = Socket::bind(address, mode).await;
        bound.map_err(|error| StartError::Listen { address: address.to_owned(), error })
    };
    let http = bind("httpListenAddr", &listening.http_listen_addr).await?;
    let grpc = match listening.grpc_listen_addr.as_str() {
        "" => None,
        address => Some(bind("grpcListenAddr", address).await?),
    };
    Ok((http, grpc))
}

/// Reads certificates and routes again when their files change, and as long as they are refused: what was seen may have been half of it.
async fn watch_files(tls: Option<Tls>, shared: Arc<Shared>) {
    let mut certificates = tls.map(|tls| {
        let signature = tls.signature();
        (tls, Watched { signature, refused: None })
    });
    let mut routes = Watched { signature: shared.gateway.as_ref().map(Gateway::signature), refused: None };
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some((tls, watched)) = &mut certificates {
            let reload = || tls.reload().map_err(|error| error.message);
            watched.look(tls.signature(), reload, &shared, "orthrus.tls", "certificates");
        }
        if let Some(gateway) = &shared.gateway {
            let reload = || gateway.reload();
            routes.look(Some(gateway.signature()), reload, &shared, "orthrus.gateway", "routes");
        }
    }
}

/// Files as they were seen last.
struct Watched<S> {
    signature: S,
    /// Why they are refused.
    refused: Option<String>,
}

impl<S: PartialEq> Watched<S> {
    fn look(
        &mut self,
        signature: S,
        reload: impl FnOnce() -> Result<(), String>,
        shared: &Shared,
        logger: &'static str,
        what: &str,
    ) {
        if signature == self.signature && self.refused.is_none() {
            return;
        }
        self.signature = signature;
        let refused = reload().err();
        match &refused {
            None => {
                shared.host.log(Event::new(Level::Info, logger, format!("the {what} are read again")));
            }
            Some(error) if self.refused.as_ref() != Some(error) => {
                let message = format!("the {what} are refused: those that were read before still count");
                shared.host.log(Event::new(Level::Error, logger, message).with("error", error.as_str()));
            }
            Some(_) => {}
        }
        self.refused = refused;
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        self.shared.addresses()
    }

    /// Decides by other policies from now on. Calls that are under way finish with those that they began with.
    pub fn set_policies(&self, policies: Arc<PolicySet>, took: Duration) {
        let mut loads = self.shared.loads();
        self.shared.pdp.metrics.loaded(&loads.driver, policies.engine.policy_count(), took);
        self.shared.pdp.replace(policies);
        loads.succeeded();
    }

    /// Tells that newer policies are refused: those that are loaded go on deciding.
    pub fn policies_failed(&self, message: String) {
        let mut loads = self.shared.loads();
        self.shared.pdp.metrics.load_failed(&loads.driver);
        loads.failed(message);
    }

    /// Verifies the tokens of a key set by other keys from now on; by none, where there are none.
    pub fn set_keys(&self, key_set: usize, verifier: Option<Arc<Verifier>>) {
        self.shared.pdp.tokens.set_keys(key_set, verifier);
    }

    /// Stops: no connection is accepted any more, what is under way may take until `grace` is over, and the audit log and
    /// traces are written out. Blocks until then.
    pub fn stop(mut self, grace: Duration) {
        self.shutdown(grace);
    }

    fn shutdown(&mut self, grace: Duration) {
        let Some(runtime) = self.runtime.take() else { return };
        let deadline = Instant::now() + grace.min(FOREVER);
        self.shared.drain();
        let (health, mut serving) = (self.health.take(), std::mem::take(&mut self.serving));
        runtime.block_on(async {
            if let Some(health) = &health {
                grpc::report(health, false).await;
            }
            // Nobody listens any more where they have ended already.
            for (course, time) in [(Course::Drain, grace), (Course::Cut, FLUSH)] {
                let _told = self.course.send(course);
                let ended = async { while serving.join_next().await.is_some() {} };
                // What is cut is told in the audit log, which ends after it.
                let _ended = tokio::time::timeout(time, ended).await;
            }
        });
        let left = deadline.saturating_duration_since(Instant::now()).max(FLUSH);
        if self.shared.pdp.audit.as_ref().is_some_and(|audit| !audit.close(left)) {
            let message = "the audit log takes no more: what was still to be written is lost";
            self.shared.host.log(Event::new(Level::Error, "orthrus.audit", message));
        }
        // Spans go out by the runtime.
        self.shared.pdp.tracer.close();
        runtime.shutdown_timeout(Duration::from_millis(100));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown(Duration::ZERO);
    }
}
