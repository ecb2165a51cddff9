//! TLS: certificates from files, read again when they change, and those of clients.

use std::fmt;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::TlsConfig;
use crate::connection::Stream;
use crate::pem;
use crate::signature::{Signature, signature};

/// Accepts connections by the certificates that there are now.
#[derive(Clone)]
pub(crate) struct Tls {
    config: TlsConfig,
    current: Arc<ArcSwap<ServerConfig>>,
}

/// Why there are no certificates.
#[derive(Debug)]
pub(crate) struct TlsError {
    /// The key below `server.tls`.
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Tls {
    pub(crate) fn open(config: &TlsConfig) -> Result<Self, TlsError> {
        let current = Arc::new(ArcSwap::from_pointee(read(config)?));
        Ok(Self { config: config.clone(), current })
    }

    /// What tells that its files have changed.
    pub(crate) fn signature(&self) -> Vec<Signature> {
        let TlsConfig { cert, key, ca_cert } = &self.config;
        [Some(cert), Some(key), ca_cert.as_ref()].into_iter().flatten().map(|path| signature(path)).collect()
    }

    /// Reads the files again; where they are wrong, those that were read before still count.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(read(&self.config)?));
        Ok(())
    }

    /// A connection, and whose certificate the client has shown, if any.
    pub(crate) async fn accept(&self, stream: Stream) -> io::Result<(Stream, Option<Arc<str>>)> {
        let stream = TlsAcceptor::from(self.current.load_full()).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let subject = session.peer_certificates().and_then(|chain| chain.first()).and_then(subject);
        Ok((Box::new(stream), subject))
    }
}

fn read(config: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let wrong = |key: &'static str, path: &std::path::Path, error: &dyn fmt::Display| TlsError {
        key,
        message: format!("{}: {error}", path.display()),
    };
    let certificates =
        |key, path: &std::path::Path| pem::certificates(path).map_err(|error| wrong(key, path, &error));
    let chain = certificates("cert", &config.cert)?;
    let key = pem::private_key(&config.key).map_err(|error| wrong("key", &config.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("cert", &config.cert, &error))?;
    let builder = match &config.ca_cert {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("caCert", path)? {
                roots.add(certificate).map_err(|error| wrong("caCert", path, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| wrong("caCert", path, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            wrong("cert", &config.cert, &format_args!("it is not of the key in {}", config.key.display()))
        }
        error => wrong("cert", &config.cert, &error),
    })?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

/// The subject of a certificate, as text. The handshake has verified it, so that it can be read.
fn subject(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.subject().to_string().into())
}
