//! Sockets: TCP and Unix ones, and those who connect to them.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::watch;

use crate::connection::{Accepted, Course, Peer, Stream, Terms};
use crate::tls::Tls;

/// A socket that is listened on.
pub(crate) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, PathBuf),
}

impl Socket {
    /// Whether an address has a form that can be bound to; says which there are where it has none.
    pub(crate) fn check(address: &str) -> Result<(), String> {
        let is_known = match address.strip_prefix("unix:") {
            Some(path) => !path.is_empty(),
            None => address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()),
        };
        if is_known {
            return Ok(());
        }
        let forms = format!("`{address}` is no address: write HOST:PORT, :PORT or unix:PATH");
        Err(match address.parse::<u16>() {
            Ok(port) => format!("{forms}; did you mean `:{port}`?"),
            Err(_) => forms,
        })
    }

    /// `HOST:PORT`, `:PORT` for all addresses, or `unix:PATH`.
    pub(crate) async fn bind(address: &str, mode: u32) -> io::Result<Self> {
        if let Some(path) = address.strip_prefix("unix:") {
            return bind_unix(path, mode);
        }
        let host = if address.starts_with(':') { "[::]" } else { "" };
        match TcpListener::bind(format!("{host}{address}")).await {
            // A machine without IPv6.
            Err(_) if !host.is_empty() => TcpListener::bind(format!("0.0.0.0{address}")).await.map(Self::Tcp),
            other => other.map(Self::Tcp),
        }
    }

    /// Where it is: `HOST:PORT`, or `unix:PATH`.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or_else(|_| String::new(), |it| it.to_string()),
            #[cfg(unix)]
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(address)))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Another server may have taken it by now.
            let _removed = std::fs::remove_file(path);
        }
    }
}

#[cfg(unix)]
fn bind_unix(path: &str, mode: u32) -> io::Result<Socket> {
    use std::fs::Permissions;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let path = Path::new(path);
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    // What a server that was killed has left behind.
    if is_socket
        && std::os::unix::net::UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(Socket::Unix(listener, path.to_owned()))
}

#[cfg(not(unix))]
fn bind_unix(_path: &str, _mode: u32) -> io::Result<Socket> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets here"))
}

/// Serves connections until it is told to stop; resolves when those that were under way have ended.
pub(crate) async fn serve(
    socket: Socket,
    tls: Option<Tls>,
    router: axum::Router,
    terms: Terms,
    mut course: watch::Receiver<Course>,
) {
    let terms = Arc::new(terms);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = course.wait_for(|it| *it >= Course::Drain) => break,
        };
        let Ok((stream, address)) = accepted else {
            // Too many open files, mostly: others close meanwhile.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let address = address.map(|it| it.to_string().into()).unwrap_or_default();
        let peer = Peer { address, subject: None };
        let connection =
            Accepted { stream, peer, tls: tls.clone(), router: router.clone(), terms: terms.clone() };
        connection.serve(course.clone());
    }
    drop(socket);
    terms.ended().await;
}
