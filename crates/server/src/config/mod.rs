//! What a server is told: the keys of `.cerbos.yaml` that concern it, and `gateway`, which is ours.

mod duration;
mod file;
mod keys;
mod substitute;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use duration::Span;
pub use file::{Config, ConfigFile, Schema, Storage, plain, read_config};

use crate::gateway::GatewayConfig;

/// What a server is told. In JSON with names in camelCase; what is left out has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Sockets and limits.
    pub server: Listening,
    /// The audit log.
    pub audit: AuditConfig,
    /// How tokens are verified. The keys themselves come while the server runs.
    pub tokens: TokenConfig,
    /// The questions of proxies; nothing is answered where there is none.
    pub gateway: Option<GatewayConfig>,
    /// Whether spans are exported, as the variables `OTEL_*` of the environment say.
    pub traces: bool,
}

/// `server` of `.cerbos.yaml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Listening {
    /// Where HTTP is served: `HOST:PORT`, `:PORT`, or `unix:PATH`.
    pub http_listen_addr: String,
    /// Where gRPC is served. Empty: nowhere.
    pub grpc_listen_addr: String,
    /// Permissions of Unix sockets, in octal.
    pub uds_file_mode: String,
    /// Certificates.
    pub tls: Option<TlsConfig>,
    /// Pages of which other origins may ask.
    pub cors: CorsConfig,
    /// How much a request may ask.
    pub request_limits: RequestLimits,
    /// Whether `/_cerbos/metrics` is served.
    pub metrics_enabled: bool,
    /// Whether requests and responses are logged.
    pub log_request_payloads: bool,
    /// Whether `/` is a page that shows the state, and lets one try a check.
    pub api_explorer_enabled: bool,
    /// Times and sizes.
    pub advanced: Advanced,
    /// How many threads answer. 0: one a core.
    pub threads: usize,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            http_listen_addr: ":3592".to_owned(),
            grpc_listen_addr: ":3593".to_owned(),
            uds_file_mode: "0o766".to_owned(),
            tls: None,
            cors: CorsConfig::default(),
            request_limits: RequestLimits::default(),
            metrics_enabled: true,
            log_request_payloads: false,
            api_explorer_enabled: true,
            advanced: Advanced::default(),
            threads: 0,
        }
    }
}

/// `server.tls`: files in PEM. They are read again when they change.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, with those between it and its root.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// With it, clients must have a certificate that it has signed.
    #[serde(default)]
    pub ca_cert: Option<PathBuf>,
}

/// `server.cors`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Whether no other origin may ask.
    pub disabled: bool,
    /// The origins that may; with none, all.
    pub allowed_origins: Vec<String>,
    /// The headers that they may set; with none, those that Cerbos has by default.
    pub allowed_headers: Vec<String>,
    /// How long browsers may remember it.
    pub max_age: Span,
}

/// `server.requestLimits`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestLimits {
    /// Actions of one resource.
    pub max_actions_per_resource: usize,
    /// Resources of one request.
    pub max_resources_per_request: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { max_actions_per_resource: 50, max_resources_per_request: 50 }
    }
}

/// `server.advanced`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Advanced {
    /// Of HTTP.
    pub http: AdvancedHttp,
    /// Of gRPC.
    pub grpc: AdvancedGrpc,
}

/// `server.advanced.http`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AdvancedHttp {
    /// How long a request, with its body, may take to arrive.
    pub read_timeout: Span,
    /// How long its head may take.
    pub read_header_timeout: Span,
    /// How long an answer may take.
    pub write_timeout: Span,
    /// How long a connection may be idle.
    pub idle_timeout: Span,
}

impl Default for AdvancedHttp {
    fn default() -> Self {
        Self {
            read_timeout: Span::seconds(30),
            read_header_timeout: Span::seconds(15),
            write_timeout: Span::seconds(30),
            idle_timeout: Span::seconds(120),
        }
    }
}

/// `server.advanced.grpc`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AdvancedGrpc {
    /// The largest request, in bytes; of HTTP as well.
    pub max_recv_msg_size_bytes: usize,
    /// How long a connection may be used.
    pub max_connection_age: Span,
    /// How long a connection may take to be set up.
    pub connection_timeout: Span,
    /// Calls under way on one connection. 0: any number.
    pub max_concurrent_streams: u32,
}

impl Default for AdvancedGrpc {
    fn default() -> Self {
        Self {
            max_recv_msg_size_bytes: 4 << 20,
            max_connection_age: Span::seconds(600),
            connection_timeout: Span::seconds(60),
            max_concurrent_streams: 1024,
        }
    }
}

/// `audit` of `.cerbos.yaml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Whether calls are logged.
    pub access_logs_enabled: bool,
    /// Whether decisions are logged.
    pub decision_logs_enabled: bool,
    /// Where to: `file` is the one that there is.
    pub backend: String,
    /// Headers of requests that are logged.
    pub include_metadata_keys: Vec<String>,
    /// Headers of requests that are not logged; all others are, where this is given alone.
    pub exclude_metadata_keys: Vec<String>,
    /// Decisions that are not logged.
    pub decision_log_filters: DecisionLogFilters,
    /// The file.
    pub file: AuditFile,
    /// Values that are not to be seen, as paths such as `inputs[*].principal.attr.email`.
    pub mask: Vec<String>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            access_logs_enabled: true,
            decision_logs_enabled: true,
            backend: "file".to_owned(),
            include_metadata_keys: Vec::new(),
            exclude_metadata_keys: Vec::new(),
            decision_log_filters: DecisionLogFilters::default(),
            file: AuditFile::default(),
            mask: Vec::new(),
        }
    }
}

/// `audit.decisionLogFilters`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DecisionLogFilters {
    /// Of checks.
    pub check_resources: CheckFilter,
    /// Of plans, which are not made here.
    pub plan_resources: BTreeMap<String, bool>,
}

/// `audit.decisionLogFilters.checkResources`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CheckFilter {
    /// Passes over calls in which everything is allowed.
    pub ignore_allow_all: bool,
}

/// `audit.file`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditFile {
    /// A file, `stdout` or `stderr`.
    pub path: String,
    /// Where each line goes as well.
    pub additional_paths: Vec<String>,
    /// When a new file is begun.
    pub log_rotation: Option<LogRotation>,
}

/// `audit.file.logRotation`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogRotation {
    /// The size, in MB, at which a file is put away.
    #[serde(rename = "maxFileSizeMB")]
    pub max_file_size_mb: u64,
    /// The age, in days, at which a file that was put away is deleted. 0: none.
    pub max_file_age_days: u64,
    /// How many that were put away are kept. 0: all.
    pub max_file_count: usize,
}

impl Default for LogRotation {
    fn default() -> Self {
        Self { max_file_size_mb: 100, max_file_age_days: 0, max_file_count: 0 }
    }
}

/// How tokens are verified.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TokenConfig {
    /// The key sets, in the order in which keys are given for them.
    pub key_sets: Vec<KeySetConfig>,
    /// Whether any signature is believed. Then there is one key set, without a name, which serves all.
    pub disable_verification: bool,
    /// How many verified tokens are remembered.
    pub cache_size: usize,
    /// Whether the host is asked of each token whether it is revoked.
    pub revocation: bool,
}

/// A key set.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeySetConfig {
    /// Its name.
    pub id: String,
    /// By how many seconds clocks may differ.
    pub skew: f64,
    /// Whether its keys may change.
    pub remote: bool,
    /// Whether its tokens have to name their issuer.
    pub issuer: bool,
}
