//! TLS: certificates from files, read again when they change, and those of clients.

use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::TlsConfig;
use crate::listen::Connection;

/// Accepts connections by the certificates that there are now.
#[derive(Clone)]
pub(crate) struct Tls {
    config: TlsConfig,
    current: Arc<ArcSwap<ServerConfig>>,
}

/// The certificate by which a client has shown who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Its subject, as text.
    pub(crate) subject: String,
    /// The common name of it.
    pub(crate) common_name: Option<String>,
    /// Its alternative names: URIs, then names of the DNS, then addresses of mail.
    pub(crate) names: Vec<String>,
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

    /// When its files were last changed.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        let TlsConfig { cert, key, ca_cert } = &self.config;
        let modified = |path| fs::metadata(path).and_then(|it| it.modified()).ok();
        [Some(cert), Some(key), ca_cert.as_ref()].into_iter().flatten().filter_map(modified).max()
    }

    /// Reads the files again; where they are wrong, those that were read before still count.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(read(&self.config)?));
        Ok(())
    }

    pub(crate) async fn accept(
        &self,
        stream: Box<dyn Connection>,
    ) -> io::Result<(Box<dyn Connection>, Option<Arc<Certificate>>)> {
        let stream = TlsAcceptor::from(self.current.load_full()).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).map(describe);
        Ok((Box::new(stream), certificate.map(Arc::new)))
    }
}

fn read(config: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let wrong = |key: &'static str, path: &std::path::Path, error: &dyn fmt::Display| TlsError {
        key,
        message: format!("{}: {error}", path.display()),
    };
    let certificates = |key, path: &std::path::Path| -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match read {
            Ok(list) if list.is_empty() => Err(wrong(key, path, &"there is no certificate in it")),
            Ok(list) => Ok(list),
            Err(error) => Err(wrong(key, path, &error)),
        }
    };
    let chain = certificates("cert", &config.cert)?;
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| wrong("key", &config.key, &error))?;
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
    let mut server =
        builder.with_single_cert(chain, key).map_err(|error| wrong("cert", &config.cert, &error))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

fn describe(certificate: &CertificateDer<'_>) -> Certificate {
    // The handshake has verified it, so that it can be read.
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Certificate::default() };
    let mut names: Vec<(u8, String)> = Vec::new();
    if let Ok(Some(alternatives)) = parsed.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            match name {
                GeneralName::URI(uri) => names.push((0, (*uri).to_owned())),
                GeneralName::DNSName(name) => names.push((1, (*name).to_owned())),
                GeneralName::RFC822Name(address) => names.push((2, (*address).to_owned())),
                _ => {}
            }
        }
    }
    names.sort_by_key(|(rank, _)| *rank);
    let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    Certificate {
        subject: parsed.subject().to_string(),
        common_name: common_name.map(str::to_owned),
        names: names.into_iter().map(|(_, name)| name).collect(),
    }
}
