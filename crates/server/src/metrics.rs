//! Metrics for Prometheus, by the names that the PDP has for them.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::clock::since_1970;

/// Of latencies in milliseconds, as the PDP has them.
const MILLISECONDS: [f64; 40] = [
    0.01, 0.05, 0.1, 0.3, 0.6, 0.8, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 30.0,
    40.0, 50.0, 65.0, 80.0, 100.0, 130.0, 160.0, 200.0, 250.0, 300.0, 400.0, 500.0, 650.0, 800.0, 1000.0,
    2000.0, 5000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0,
];
/// Of latencies in seconds, as OpenTelemetry has them.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Of the resources of a request, as the PDP has them.
const BATCH: [f64; 22] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 25.0, 30.0, 35.0,
    40.0, 45.0, 50.0,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Outcome {
    #[allow(non_camel_case_types)]
    success,
    #[allow(non_camel_case_types)]
    failure,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DriverLabel {
    driver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    http_request_method: &'static str,
    http_response_status_code: u16,
    network_protocol_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RpcLabels {
    rpc_method: &'static str,
    rpc_response_status_code: &'static str,
    rpc_system_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GatewayLabels {
    gateway: &'static str,
    outcome: &'static str,
}

#[derive(Clone)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms<L> = Family<L, Histogram, Buckets>;

fn histograms<L: Clone + Eq + std::hash::Hash>(buckets: &'static [f64]) -> Histograms<L> {
    Family::new_with_constructor(Buckets(buckets))
}

/// All metrics of a server.
pub(crate) struct Metrics {
    registry: Registry,
    /// The one of successes, kept because each check needs it.
    latency: Histogram,
    failed_latency: Histogram,
    batch_size: Histogram,
    compile: Histograms<StatusLabel>,
    entries: Gauge<i64, AtomicI64>,
    refreshed: Family<DriverLabel, Gauge<f64, AtomicU64>>,
    sync_errors: Family<DriverLabel, Counter>,
    audit_errors: Counter,
    requests: Histograms<HttpLabels>,
    calls: Histograms<RpcLabels>,
    gateway: Family<GatewayLabels, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let latency = histograms::<StatusLabel>(&MILLISECONDS);
        let success = latency.get_or_create(&StatusLabel { status: Outcome::success }).clone();
        let failure = latency.get_or_create(&StatusLabel { status: Outcome::failure }).clone();
        let mut metrics = Self {
            registry: Registry::default(),
            latency: success,
            failed_latency: failure,
            batch_size: Histogram::new(BATCH),
            compile: histograms(&MILLISECONDS),
            entries: Gauge::default(),
            refreshed: Family::default(),
            sync_errors: Family::default(),
            audit_errors: Counter::default(),
            requests: histograms(&SECONDS),
            calls: histograms(&SECONDS),
            gateway: Family::default(),
        };
        let registry = &mut metrics.registry;
        let milliseconds = || Unit::Other("milliseconds".to_owned());
        registry.register_with_unit(
            "cerbos_dev_engine_check_latency",
            "Time to match a request against a policy and provide a decision",
            milliseconds(),
            latency,
        );
        registry.register(
            "cerbos_dev_engine_check_batch_size",
            "Batch size distribution of check requests",
            metrics.batch_size.clone(),
        );
        registry.register_with_unit(
            "cerbos_dev_compiler_compile_duration",
            "Time to compile a set of policies",
            milliseconds(),
            metrics.compile.clone(),
        );
        registry.register(
            "cerbos_dev_index_entry_count",
            "Number of entries in the index",
            metrics.entries.clone(),
        );
        registry.register(
            "cerbos_dev_store_last_successful_refresh",
            "The last time the store was successfully refreshed manually or automatically",
            metrics.refreshed.clone(),
        );
        registry.register(
            "cerbos_dev_store_sync_error_count",
            "Number of errors encountered while checking for updates",
            metrics.sync_errors.clone(),
        );
        registry.register(
            "cerbos_dev_audit_error_count",
            "Number of errors encountered while writing an audit log entry",
            metrics.audit_errors.clone(),
        );
        registry.register_with_unit(
            "http_server_request_duration",
            "Duration of HTTP server requests",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "rpc_server_call_duration",
            "Measures the duration of an incoming Remote Procedure Call (RPC)",
            Unit::Seconds,
            metrics.calls.clone(),
        );
        registry.register(
            "orthrus_gateway_request_count",
            "Questions of proxies, by the kind of proxy and what came of them",
            metrics.gateway.clone(),
        );
        metrics
    }

    pub(crate) fn checked(&self, took: Duration, resources: usize, answered: bool) {
        let histogram = if answered { &self.latency } else { &self.failed_latency };
        histogram.observe(took.as_secs_f64() * 1000.0);
        self.batch_size.observe(resources as f64);
    }

    pub(crate) fn http(&self, method: &http::Method, status: u16, took: Duration) {
        let labels = HttpLabels {
            http_request_method: known_method(method),
            http_response_status_code: status,
            network_protocol_name: "http",
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn rpc(&self, method: &'static str, code: tonic::Code, took: Duration) {
        let labels = RpcLabels {
            rpc_method: method,
            rpc_response_status_code: code_name(code),
            rpc_system_name: "grpc",
        };
        self.calls.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn gateway(&self, gateway: &'static str, outcome: &'static str) {
        self.gateway.get_or_create(&GatewayLabels { gateway, outcome }).inc();
    }

    pub(crate) fn loaded(&self, driver: &str, policies: usize, took: Duration) {
        let driver = DriverLabel { driver: driver.to_owned() };
        // It begins with 0, so that a first failure is seen to be one.
        drop(self.sync_errors.get_or_create(&driver));
        let success = StatusLabel { status: Outcome::success };
        self.compile.get_or_create(&success).observe(took.as_secs_f64() * 1000.0);
        self.entries.set(i64::try_from(policies).unwrap_or(i64::MAX));
        let now = since_1970(SystemTime::now());
        self.refreshed.get_or_create(&driver).set(now.as_secs_f64() * 1000.0);
    }

    pub(crate) fn load_failed(&self, driver: &str) {
        self.sync_errors.get_or_create(&DriverLabel { driver: driver.to_owned() }).inc();
    }

    pub(crate) fn audit_failed(&self) {
        self.audit_errors.inc();
    }

    /// In the text format of OpenMetrics.
    pub(crate) fn open_metrics(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _written = encode(&mut text, &self.registry);
        text
    }

    /// In the older text format of Prometheus, in which a counter is named as its sample is.
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    pub(crate) fn prometheus(&self) -> String {
        let mut text = String::new();
        let mut help = String::new();
        for line in self.open_metrics().lines() {
            let Some(told) = line.strip_prefix("# ") else {
                text.push_str(line);
                text.push('\n');
                continue;
            };
            match told.split(' ').collect::<Vec<_>>().as_slice() {
                ["HELP", name, words @ ..] => help = format!("{name} {}", words.join(" ")),
                ["TYPE", name, kind] => {
                    let suffix = if *kind == "counter" { "_total" } else { "" };
                    if let Some(words) = help.strip_prefix(&format!("{name} ")) {
                        text.push_str(&format!("# HELP {name}{suffix} {words}\n"));
                    }
                    text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
                }
                _ => {}
            }
        }
        text
    }
}

/// Methods are named by the client: a label of each would fill the memory.
fn known_method(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

fn code_name(code: tonic::Code) -> &'static str {
    use tonic::Code;
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
