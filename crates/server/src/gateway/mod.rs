//! The questions of proxies: may this request pass, and who makes it?
//!
//! Each kind of proxy has an endpoint of its own, which reads what is asked about where that proxy says it ([`question`]), and
//! nowhere else. What comes of it is one [`Verdict`](verdict::Verdict), which each endpoint tells in its own way.

mod check;
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
use check::check;
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
        let wrong = |path: &str, message| StartError::Config { path: format!("gateway.{path}"), message };
        check(config, tokens).map_err(|(path, message)| wrong(path, message))?;
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
