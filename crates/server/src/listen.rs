//! Sockets: TCP and Unix ones, with or without TLS, and the connections on them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use crate::config::Advanced;
use crate::tls::Tls;

/// Who is at the other end of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// `ADDRESS:PORT`; empty on a Unix socket.
    pub(crate) address: Arc<str>,
    /// The subject of the certificate by which a client has shown who it is.
    pub(crate) subject: Option<Arc<str>>,
}

/// A socket that is listened on.
pub(crate) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, PathBuf),
}

impl Socket {
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

pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

type Stream = Box<dyn Connection>;

/// How long TLS may take to be set up where the configuration sets no limit.
const HANDSHAKE: Duration = Duration::from_secs(60);
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// How connections are treated.
#[derive(Clone)]
pub(crate) struct Limits {
    pub(crate) advanced: Advanced,
    pub(crate) grpc: bool,
}

/// Serves connections until it is told to stop; resolves when those that were under way have ended.
pub(crate) async fn serve(
    socket: Socket,
    tls: Option<Tls>,
    router: axum::Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let server = builder(&limits);
    // Each connection holds the one end: when all have ended, the other hears of it.
    let (alive, mut ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, address)) = accepted else {
            // Too many open files, mostly: others close meanwhile.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let address = address.map(|it| it.to_string().into()).unwrap_or_default();
        let peer = Peer { address, subject: None };
        let connection =
            Accepted { stream, peer, tls: tls.clone(), router: router.clone(), limits: limits.clone() };
        let (server, stop, alive) = (server.clone(), stop.clone(), alive.clone());
        tokio::spawn(async move {
            connection.serve(&server, stop).await;
            drop(alive);
        });
    }
    drop((socket, alive));
    let _all = ended.recv().await;
}

/// A connection, before anything is read from it.
struct Accepted {
    stream: Stream,
    peer: Peer,
    tls: Option<Tls>,
    router: axum::Router,
    limits: Limits,
}

impl Accepted {
    async fn serve(self, server: &auto::Builder<TokioExecutor>, mut stop: watch::Receiver<bool>) {
        let Self { stream, peer, tls, router, limits } = self;
        let grpc = &limits.advanced.grpc;
        let (stream, peer) = match tls {
            None => (stream, peer),
            Some(tls) => {
                let limit = grpc.connection_timeout.limit().unwrap_or(HANDSHAKE);
                let Ok(Ok((stream, subject))) = tokio::time::timeout(limit, tls.accept(stream)).await else {
                    return;
                };
                (stream, Peer { subject, ..peer })
            }
        };
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            answer(router.clone(), request, peer.clone())
        });
        let connection = server.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let age = if limits.grpc { grpc.max_connection_age.limit() } else { None };
        tokio::select! {
            _ended = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => {}
            // A client opens another: so connections are spread over servers that are added.
            () = tokio::time::sleep(age.unwrap_or(FOREVER)) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ended = connection.await;
    }
}

async fn answer(
    router: axum::Router,
    request: Request<Incoming>,
    peer: Peer,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    let http = &limits.advanced.http;
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(http.read_header_timeout.limit())
        // Larger heads are 431.
        .max_buf_size(64 << 10)
        .keep_alive(true);
    let streams = limits.advanced.grpc.max_concurrent_streams;
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams((streams > 0).then_some(streams))
        .max_header_list_size(64 << 10)
        .keep_alive_interval(Some(http.idle_timeout.limit().unwrap_or(Duration::from_secs(120))))
        .keep_alive_timeout(Duration::from_secs(20));
    server
}
