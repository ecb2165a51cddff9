//! What a proxy asks about, read where that proxy says it. What is there twice, or not at all, has no meaning that is sure.

use std::net::Ipv6Addr;

use http::{HeaderMap, Method, Uri};

use super::Proxy;
use crate::proto::envoy::service::auth::v3::{AttributeContext, CheckRequest};

/// Below it Envoy asks over HTTP: its `path_prefix`.
pub(super) const ENVOY_PREFIX: &str = "/ext-authz/envoy";

/// A request that a proxy asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) method: String,
    /// Without port, in small letters.
    pub(super) host: String,
    /// As it came in.
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// What the client sent, and the proxy.
    pub(super) headers: Vec<(String, String)>,
    pub(super) certificate: Certificate,
}

/// Where a proxy says whose certificate it has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Certificate {
    /// In the header that is configured.
    InHeader,
    /// Beside the headers; none where there is no certificate.
    Told(Option<String>),
}

/// Why there is no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclear(pub(super) &'static str);

impl Question {
    /// The question of a proxy by its headers.
    pub(super) fn of_headers(proxy: Proxy, headers: &HeaderMap) -> Result<Self, Unclear> {
        let [method, uri, host] = match proxy {
            Proxy::Nginx => ["x-original-method", "x-original-uri", "x-original-host"],
            Proxy::Traefik | Proxy::Caddy | Proxy::Envoy => {
                ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"]
            }
        };
        Self::new(
            one(headers, method)?,
            one(headers, uri)?,
            one(headers, host)?,
            texts(headers),
            Certificate::InHeader,
        )
    }

    /// The question of Envoy over HTTP: a copy of the request, below a prefix.
    pub(super) fn of_copy(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Self, Unclear> {
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        let target = target.strip_prefix(ENVOY_PREFIX).ok_or(Unclear("the path is not below the prefix"))?;
        let host = match uri.host() {
            Some(host) => host,
            None => one(headers, "host")?,
        };
        Self::new(method.as_str(), target, host, texts(headers), Certificate::InHeader)
    }

    /// The question of Envoy over gRPC.
    pub(super) fn of_envoy(request: CheckRequest) -> Result<Self, Unclear> {
        let AttributeContext { source, request, .. } =
            request.attributes.ok_or(Unclear("attributes are missing"))?;
        let asked = request.and_then(|it| it.http).ok_or(Unclear("attributes.request.http is missing"))?;
        let headers = if asked.headers.is_empty() {
            // Envoy sends them so where it is told to keep what came several times apart.
            let map = asked.header_map.unwrap_or_default();
            let value = |header: crate::proto::envoy::config::core::v3::HeaderValue| {
                let raw = String::from_utf8_lossy(&header.raw_value).into_owned();
                (header.key.to_ascii_lowercase(), if header.value.is_empty() { raw } else { header.value })
            };
            map.headers.into_iter().map(value).collect()
        } else {
            asked.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
        };
        let certificate = source.map(|it| it.principal).filter(|principal| !principal.is_empty());
        Self::new(&asked.method, &asked.path, &asked.host, headers, Certificate::Told(certificate))
    }

    fn new(
        method: &str,
        target: &str,
        host: &str,
        headers: Vec<(String, String)>,
        certificate: Certificate,
    ) -> Result<Self, Unclear> {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            return Err(Unclear("the method is none"));
        }
        // An absolute URL, or an authority: servers behind read them in their own ways.
        if !target.starts_with('/') || target.contains('#') {
            return Err(Unclear("the target is no path"));
        }
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Ok(Self {
            method: method.to_owned(),
            host: hostname(host)?,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers,
            certificate,
        })
    }

    /// The values of a header, as often as it came.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_it = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(is_it).map(|(_, value)| value.as_str())
    }
}

/// A header that the proxy sets: one that is there twice came from the client as well.
fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Unclear> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Unclear("a header that the proxy sets is missing, or there twice"));
    };
    value.to_str().map_err(|_| Unclear("a header that the proxy sets is no text"))
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(text).collect()
}

fn hostname(host: &str) -> Result<String, Unclear> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or(("", "")),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name =
        if host.starts_with('[') { name.parse::<Ipv6Addr>().is_ok() } else { name.split('.').all(is_label) };
    if !is_name || !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
        return Err(Unclear("the host is none"));
    }
    Ok(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<Vec<_>>()
            .into_iter()
            .fold(
                HeaderMap::new(),
                |mut map: HeaderMap, (name, value): (http::HeaderName, http::HeaderValue)| {
                    map.append(name, value);
                    map
                },
            )
    }

    const ASKED: [(&str, &str); 3] = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/a?b=/c?d"),
        ("x-forwarded-host", "App.example.com:8443"),
    ];

    #[test]
    fn as_traefik_says_it() {
        let question = Question::of_headers(Proxy::Traefik, &headers(&ASKED)).unwrap();
        assert_eq!((question.method.as_str(), question.host.as_str()), ("GET", "app.example.com"));
        assert_eq!((question.path.as_str(), question.query.as_deref()), ("/a", Some("b=/c?d")));
        // nginx says it elsewhere, and what a client puts into the headers of Traefik is nothing there.
        assert!(Question::of_headers(Proxy::Nginx, &headers(&ASKED)).is_err());
    }

    #[test]
    fn what_has_no_sure_meaning() {
        let twice = [ASKED.as_slice(), &[("x-forwarded-uri", "/b")]].concat();
        assert!(Question::of_headers(Proxy::Traefik, &headers(&twice)).is_err());
        for (at, value) in [
            (0, "get"),
            (0, "GET POST"),
            (1, "http://a/b"),
            (1, ""),
            (1, "*"),
            (1, "/a#b"),
            (2, "a,b"),
            (2, "a b"),
            (2, ""),
            (2, "[::1"),
        ] {
            let mut asked = ASKED;
            asked[at].1 = value;
            assert!(Question::of_headers(Proxy::Caddy, &headers(&asked)).is_err(), "{at}: {value}");
        }
    }

    #[test]
    fn hosts() {
        for (host, name) in [("a:80", "a"), ("A.B.", "a.b"), ("[::1]:80", "::1"), ("10.0.0.1", "10.0.0.1")] {
            assert_eq!(hostname(host).as_deref(), Ok(name), "{host}");
        }
    }
}
