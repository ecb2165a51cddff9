//! The questions of proxies: may this request pass, and who makes it?
//!
//! Each kind of proxy has an endpoint of its own, which reads what is asked about where that proxy says it ([`question`]), and
//! nowhere else. What comes of it is one [`Verdict`](verdict::Verdict), which each endpoint tells in its own way.

mod config;
pub(crate) mod grpc;
pub(crate) mod http;
mod identity;
mod question;
mod verdict;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use orthrus::text::{Diagnostics, Source};
use orthrus_gateway::Routes;

use crate::config::TokenConfig;
use crate::signature::{Signature, signature};
use crate::start::StartError;
pub use config::{
    Anonymous, CertificateIdentity, GatewayConfig, Identity, Proxy, RoutesConfig, TokenIdentity,
};

/// What a proxy is answered by.
pub(crate) struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) routes: ArcSwap<Routes>,
}

impl Gateway {
    /// Reads the routes. Says what is wrong with them, or with who makes requests.
    pub(crate) fn new(config: &GatewayConfig, tokens: &TokenConfig) -> Result<Self, StartError> {
        let wrong =
            |path: &str, message: String| StartError::Config { path: format!("gateway.{path}"), message };
        if config.proxies.is_empty() {
            return Err(wrong(
                "proxies",
                "name the proxies that may ask: traefik, caddy, nginx, envoy".to_owned(),
            ));
        }
        let Identity { token, certificate, anonymous } = &config.identity;
        if token.is_none() && certificate.is_none() && anonymous.is_none() {
            let message = "say who makes requests: by token, certificate or anonymous";
            return Err(wrong("identity", message.to_owned()));
        }
        if let Some(token) = token {
            let named = tokens.key_sets.iter().find(|set| set.id == token.key_set);
            if tokens.disable_verification {
                let message =
                    "tokens are not verified (auxData.jwt.disableVerification): anybody could be anybody";
                return Err(wrong("identity.token", message.to_owned()));
            }
            match named {
                None => {
                    let message = format!("there is no key set `{}` in auxData.jwt.keySets", token.key_set);
                    return Err(wrong("identity.token.keySet", message));
                }
                Some(set) if !set.issuer => {
                    let message = format!(
                        "the key set `{}` has no issuer: without it, tokens that its keys sign for others would count",
                        set.id
                    );
                    return Err(wrong("identity.token.keySet", message));
                }
                Some(_) => {}
            }
        }
        let needs_header = config.proxies.iter().any(|proxy| *proxy != Proxy::Envoy);
        if needs_header && certificate.as_ref().is_some_and(|it| it.header.is_none()) {
            let message = "say in which header the proxy tells whose certificate it is; only Envoy tells it otherwise, over gRPC";
            return Err(wrong("identity.certificate.header", message.to_owned()));
        }
        if let Some(CertificateIdentity { header, role }) = certificate {
            if role.is_empty() {
                return Err(wrong("identity.certificate.role", "must not be empty".to_owned()));
            }
            if header.as_ref().is_some_and(|name| !is_free(name)) {
                let message = "must be the name of a header that tells nothing else";
                return Err(wrong("identity.certificate.header", message.to_owned()));
            }
        }
        let cookie = token.as_ref().and_then(|token| token.cookie.as_deref());
        if cookie.is_some_and(|name| !is_token(name)) {
            return Err(wrong("identity.token.cookie", "must be the name of a cookie".to_owned()));
        }
        if anonymous.as_ref().is_some_and(|it| {
            it.id.is_empty() || it.roles.is_empty() || it.roles.iter().any(String::is_empty)
        }) {
            let message = "must have an id, and at least one role, none of them empty";
            return Err(wrong("identity.anonymous", message.to_owned()));
        }
        let routes = read_routes(&config.routes).map_err(|message| wrong("routes", message))?;
        Ok(Self { config: config.clone(), routes: ArcSwap::from_pointee(routes) })
    }

    /// What tells that the file of the routes has changed.
    pub(crate) fn signature(&self) -> Signature {
        match &self.config.routes {
            RoutesConfig::File(path) => signature(Path::new(path)),
            RoutesConfig::Inline(_) => None,
        }
    }

    /// Reads the routes again; where they are wrong, those that were read before still count.
    pub(crate) fn reload(&self) -> Result<(), String> {
        self.routes.store(Arc::new(read_routes(&self.config.routes)?));
        Ok(())
    }

    pub(crate) fn serves(&self, proxy: Proxy) -> bool {
        self.config.proxies.contains(&proxy)
    }
}

/// A name of headers and cookies (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    ::http::HeaderName::try_from(name).is_ok()
}

/// Whether a header can tell whose a certificate is: others are read already.
fn is_free(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_read = ["authorization", "cookie", "host", "user-agent", "content-length", "content-type"]
        .contains(&name.as_str())
        || ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-for"]
            .contains(&name.as_str())
        || name.starts_with("x-original-")
        || name.starts_with("x-orthrus-");
    is_token(&name) && !is_read
}

/// Routes whose tests pass.
fn read_routes(config: &RoutesConfig) -> Result<Routes, String> {
    let source = match config {
        RoutesConfig::File(path) => {
            let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            Source::new(path.clone(), text)
        }
        RoutesConfig::Inline(routes) => {
            let text = serde_json::to_string_pretty(routes).map_err(|error| error.to_string())?;
            Source::new("gateway.routes, as JSON", text)
        }
    };
    let file = Routes::from_source(&source).map_err(|found| render(&found))?;
    if file.routes.is_empty() {
        return Err("there are none, so that nothing would pass".to_owned());
    }
    let failures: Vec<String> = file
        .tests
        .iter()
        .filter_map(|test| test.run(&file.routes).err())
        .map(|failure| failure.to_string())
        .collect();
    if failures.is_empty() {
        Ok(file.routes)
    } else {
        Err(format!("tests of it fail:\n{}", failures.join("\n")))
    }
}

fn render(diagnostics: &Diagnostics) -> String {
    let rendered: Vec<String> = diagnostics.iter().map(orthrus::text::Diagnostic::render).collect();
    format!("they are refused\n\n{}", rendered.join("\n"))
}
