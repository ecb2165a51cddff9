//! `gateway` of the configuration.

use orthrus_gateway::ClaimsMapping;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How the questions of proxies are answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayConfig {
    /// The proxies that may ask. Where one is not named, its endpoint is not there.
    pub proxies: Vec<Proxy>,
    /// Which request asks for which action on which resource.
    pub routes: RoutesConfig,
    /// Who makes requests.
    pub identity: Identity,
}

/// What a proxy is, and so in which headers it says what it asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// Traefik's `ForwardAuth`.
    Traefik,
    /// Caddy's `forward_auth`.
    Caddy,
    /// nginx's `auth_request`.
    Nginx,
    /// Envoy's `ext_authz`, over HTTP and gRPC.
    Envoy,
}

impl Proxy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
        }
    }
}

/// Where routes are.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RoutesConfig {
    /// In a file.
    File(String),
    /// Here.
    Inline(Value),
}

/// Who makes requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Identity {
    /// By bearer tokens, and tokens in a cookie.
    pub token: Option<TokenIdentity>,
    /// By certificates, which the proxy has verified.
    pub certificate: Option<CertificateIdentity>,
    /// Those who have neither; without it they are refused.
    pub anonymous: Option<Anonymous>,
}

/// Who makes requests with tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenIdentity {
    /// The key set by which tokens are verified.
    pub key_set: String,
    /// A cookie that holds a token where `Authorization` does not.
    pub cookie: Option<String>,
    /// Whose principal claims are.
    #[serde(default)]
    pub claims: ClaimsMapping,
}

/// Who makes requests with certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateIdentity {
    /// The header in which the proxy says whose it is. It is not read over gRPC, by which Envoy says it without one.
    pub header: Option<String>,
    /// The role of those who have one.
    #[serde(default = "service")]
    pub role: String,
}

fn service() -> String {
    "service".to_owned()
}

/// Who makes requests without a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Anonymous {
    /// The id.
    pub id: String,
    /// The roles; at least one.
    pub roles: Vec<String>,
    /// The attributes.
    #[serde(default)]
    pub attr: Map<String, Value>,
}
