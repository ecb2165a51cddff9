//! Spans for OpenTelemetry, by the variables `OTEL_*` of the environment. Off unless an endpoint is given, and then nothing is done.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fmt, fs, thread};

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter as Exporter};

use crate::call::Call;
use crate::host::{Event, Host, Level};
use crate::pdp::Asked;
use crate::pem;

/// Makes spans; none where it is off.
pub(crate) struct Tracer(Option<Exporting>);

struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// A span that ends when it is told how it ended, or is dropped.
pub(crate) struct Span(Option<Context>);

impl Tracer {
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Off where the environment names no endpoint.
    pub(crate) fn from_environment(host: &Arc<dyn Host>) -> Result<Self, String> {
        let is_set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
        let is_disabled = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let has_endpoint =
            is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        if is_disabled || !has_endpoint {
            return Ok(Self::off());
        }
        let protocol = env::var("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|_| env::var("OTEL_EXPORTER_OTLP_PROTOCOL"));
        let tls = TlsFiles::from_environment()?;
        let exporter = match protocol.as_deref() {
            Ok("http/protobuf") => {
                let builder = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
                builder.with_http_client(tls.http_client()?).build()
            }
            // As the PDP does.
            _ => SpanExporter::builder().with_tonic().with_tls_config(tls.config()).build(),
        };
        let exporter = exporter.map_err(|error| format!("OTEL_EXPORTER_OTLP_*: {error}"))?;
        let exporter = Reporting { exporter, host: Arc::clone(host), is_failing: AtomicBool::new(false) };
        let mut builder = SdkTracerProvider::builder().with_batch_exporter(exporter);
        if !is_set("OTEL_TRACES_SAMPLER") {
            // As the PDP does: what is traced is for the caller to say.
            builder = builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
        }
        let mut resource = Resource::builder();
        if !is_set("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name("orthrus");
        }
        let provider = builder.with_resource(resource.build()).build();
        let tracer = provider.tracer("orthrus");
        Ok(Self(Some(Exporting { provider, tracer, propagator: TraceContextPropagator::new() })))
    }

    /// A call, below the span of whoever makes it.
    pub(crate) fn call(&self, name: &'static str, headers: &HeaderMap) -> Span {
        Span(self.0.as_ref().map(|exporting| {
            let parent = exporting.propagator.extract_with_context(&Context::new(), &Headers(headers));
            let builder = exporting.tracer.span_builder(name).with_kind(SpanKind::Server);
            let span = exporting.tracer.build_with_context(builder, &parent);
            parent.with_span(span)
        }))
    }

    /// A check, below its call. Of what is asked it tells numbers alone.
    pub(crate) fn check(&self, call: &Call, asked: &Asked<'_>) -> Span {
        Span(self.0.as_ref().map(|exporting| {
            let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
            let actions = asked.resources.iter().map(|(_, actions)| actions.len()).sum();
            let builder = exporting.tracer.span_builder("engine.Check").with_attributes([
                KeyValue::new("cerbos.resources", count(asked.resources.len())),
                KeyValue::new("cerbos.actions", count(actions)),
                KeyValue::new("cerbos.call_id", call.id.clone()),
            ]);
            let parent = call.span.context();
            let span = exporting.tracer.build_with_context(builder, &parent);
            parent.with_span(span)
        }))
    }

    /// Exports what is still to be exported.
    pub(crate) fn close(&self) {
        if let Some(exporting) = &self.0 {
            // There is nobody left to tell.
            let _closed = exporting.provider.shutdown();
        }
    }
}

impl Span {
    fn context(&self) -> Context {
        self.0.clone().unwrap_or_default()
    }

    pub(crate) fn end(&self, well: bool) {
        if let Some(context) = &self.0 {
            if !well {
                context.span().set_status(Status::error("refused"));
            }
            context.span().end();
        }
    }
}

/// Says when spans do not arrive: once, and again after they did.
struct Reporting {
    exporter: SpanExporter,
    host: Arc<dyn Host>,
    is_failing: AtomicBool,
}

impl fmt::Debug for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exporter.fmt(f)
    }
}

impl Exporter for Reporting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(exported.is_err(), Ordering::Relaxed);
        if let (false, Err(error)) = (was_failing, &exported) {
            let event = Event::new(Level::Warn, "orthrus.traces", "spans cannot be exported");
            self.host.log(event.with("error", error.to_string()));
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Whom to trust, and who we are, where the receiver is reached by TLS: PEM files that the environment names. Without them, those
/// whom the system trusts.
struct TlsFiles {
    authority: Option<Vec<u8>>,
    /// A certificate, and its key.
    own: Option<(Vec<u8>, Vec<u8>)>,
}

impl TlsFiles {
    fn from_environment() -> Result<Self, String> {
        let certificates = |path: &Path| pem::certificates(path).map(drop);
        let key = |path: &Path| pem::private_key(path).map(drop);
        let own = match (read("CLIENT_CERTIFICATE", certificates)?, read("CLIENT_KEY", key)?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY go together".to_owned()),
        };
        Ok(Self { authority: read("CERTIFICATE", certificates)?, own })
    }

    fn config(&self) -> ClientTlsConfig {
        let mut config = match &self.authority {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_enabled_roots(),
        };
        if let Some((certificate, key)) = &self.own {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        config
    }

    /// It blocks, and must not be made where tasks run. It has the limit of OTLP, which exporters give to their own clients alone.
    fn http_client(self) -> Result<reqwest::blocking::Client, String> {
        // Another that the process has installed does as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let make = move || {
            let mut builder = reqwest::blocking::Client::builder().timeout(timeout());
            if let Some(pem) = &self.authority {
                builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem)?);
            }
            if let Some((certificate, key)) = &self.own {
                let both = [certificate.as_slice(), b"\n", key.as_slice()].concat();
                builder = builder.identity(reqwest::Identity::from_pem(&both)?);
            }
            builder.build()
        };
        let made = thread::spawn(make).join().map_err(|_| "the client of OTLP cannot be made".to_owned())?;
        made.map_err(|error: reqwest::Error| format!("OTEL_EXPORTER_OTLP_*: {error}"))
    }
}

/// The file that a variable names, if it does and what has to be in it is.
fn read(name: &str, check: impl Fn(&Path) -> Result<(), String>) -> Result<Option<Vec<u8>>, String> {
    let variables = [format!("OTEL_EXPORTER_OTLP_TRACES_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")];
    let set =
        |variable: String| env::var(&variable).ok().filter(|it| !it.is_empty()).map(|it| (variable, it));
    let Some((variable, path)) = variables.into_iter().find_map(set) else { return Ok(None) };
    let wrong = |error: String| format!("{variable}: {path}: {error}");
    check(Path::new(&path)).map_err(wrong)?;
    fs::read(&path).map(Some).map_err(|error| wrong(error.to_string()))
}

/// How long an export may take: `OTEL_EXPORTER_OTLP_TIMEOUT` in milliseconds, by default 10 seconds.
fn timeout() -> Duration {
    let named = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let milliseconds = named.iter().find_map(|name| env::var(name).ok()?.parse().ok());
    Duration::from_millis(milliseconds.unwrap_or(10_000))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
