//! A connection: from its first byte to its last.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::clock::FOREVER;
use crate::config::Advanced;
use crate::progress::{Deadline, Patience, Progress};
use crate::tls::Tls;

/// What bytes go over: TCP, a Unix socket, or TLS on one of them.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

pub(crate) type Stream = Box<dyn Transport>;

/// Who is at the other end of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// `ADDRESS:PORT`; empty on a Unix socket.
    pub(crate) address: Arc<str>,
    /// The subject of the certificate by which a client has shown who it is.
    pub(crate) subject: Option<Arc<str>>,
}

/// The largest head of a request; larger ones are 431.
const MAX_HEAD: usize = 64 << 10;
/// How much of what a client goes on sending at the end is read and thrown away.
const MAX_DISCARDED: usize = 4 * MAX_HEAD;
/// How long it is read on.
const LINGER: Duration = Duration::from_millis(500);
/// How long a client may take to agree that its connection ends.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often it is looked whether a client of HTTP/2 is still there.
const PING: Duration = Duration::from_secs(120);

/// The tasks of connections to a socket, and of the calls on them.
#[derive(Clone, Default)]
struct Tasks(TaskTracker);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

/// What is to become of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Course {
    Serve,
    /// What is under way is answered, and nothing more.
    Drain,
    /// They end at once.
    Cut,
}

/// How connections to a socket are treated.
pub(crate) struct Terms {
    server: auto::Builder<Tasks>,
    tasks: Tasks,
    patience: Patience,
    max_age: Option<Duration>,
}

impl Terms {
    pub(crate) fn of_http(advanced: &Advanced) -> Self {
        Self::new(advanced, Patience::of_http(advanced))
    }

    pub(crate) fn of_grpc(advanced: &Advanced) -> Self {
        let terms = Self::new(advanced, Patience::of_grpc(advanced));
        let max_age = advanced.grpc.max_connection_age.limit();
        Self { server: terms.server.http2_only(), max_age, ..terms }
    }

    fn new(advanced: &Advanced, patience: Patience) -> Self {
        let tasks = Tasks::default();
        Self { server: builder(advanced, tasks.clone()), tasks, patience, max_age: None }
    }

    /// Resolves when all connections have ended, and the calls on them; no other begins then.
    pub(crate) async fn ended(&self) {
        self.tasks.0.close();
        self.tasks.0.wait().await;
    }
}

fn builder(advanced: &Advanced, tasks: Tasks) -> auto::Builder<Tasks> {
    let mut server = auto::Builder::new(tasks);
    // How long a head may take is known by its `Progress`: the limit of hyper holds between requests as well.
    server.http1().header_read_timeout(None).max_buf_size(MAX_HEAD).keep_alive(true);
    let streams = advanced.grpc.max_concurrent_streams;
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams((streams > 0).then_some(streams))
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(Some(PING))
        .keep_alive_timeout(Duration::from_secs(20));
    server
}

/// A connection, before anything is read from it.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    pub(crate) tls: Option<Tls>,
    pub(crate) router: axum::Router,
    pub(crate) terms: Arc<Terms>,
}

impl Accepted {
    /// Answers what comes, until the client ends it, has let us wait for too long, or the server stops and all is answered.
    pub(crate) fn serve(self, course: watch::Receiver<Course>) {
        let tasks = self.terms.tasks.clone();
        tasks.execute(async move {
            let mut cut = course.clone();
            tokio::select! {
                () = self.run(course) => {}
                _ = cut.wait_for(|it| *it == Course::Cut) => {}
            }
        });
    }

    async fn run(self, mut course: watch::Receiver<Course>) {
        let Self { stream, peer, tls, router, terms } = self;
        let Terms { server, patience, max_age, .. } = &*terms;
        let mut patience = *patience;
        let opened = Instant::now();
        let (stream, peer) = match tls {
            None => (stream, peer),
            Some(tls) => {
                let limit = opened + patience.opening.unwrap_or(FOREVER);
                let accepted = tokio::select! {
                    accepted = tls.accept(stream) => accepted,
                    () = tokio::time::sleep_until(limit) => return,
                    _ = course.wait_for(|it| *it >= Course::Drain) => return,
                };
                let Ok((stream, subject)) = accepted else { return };
                (stream, Peer { subject, ..peer })
            }
        };
        let progress = SharedProgress::new(Progress::new(opened));
        let observed =
            Observed { stream, progress: progress.clone(), is_shut: false, discarded: 0, lingering: None };
        let asked = progress.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            answer(router.clone(), request, peer.clone(), asked.clone())
        });
        let connection = server.serve_connection(TokioIo::new(observed), service);
        tokio::pin!(connection);
        // A client opens another: so connections are spread over servers that are added.
        let mut age = max_age.map(|age| opened + age);
        let mut is_stopping = false;
        loop {
            let now = Instant::now();
            match progress.with(|it| it.deadline(&patience)) {
                Some(Deadline { at, is_idle: false }) if at <= now => return,
                Some(Deadline { at, .. }) if at <= now => break,
                deadline => {
                    let look = now + patience.shortest().unwrap_or(FOREVER);
                    let next = deadline.map(|it| it.at).into_iter().chain(age).fold(look, Instant::min);
                    tokio::select! {
                        biased;
                        _ended = connection.as_mut() => return,
                        _ = course.wait_for(|it| *it >= Course::Drain), if !is_stopping => {
                            (age, is_stopping) = (Some(now), true);
                            patience = patience.at_most(FAREWELL);
                        }
                        () = tokio::time::sleep_until(next) => {}
                    }
                }
            }
            if age.is_some_and(|age| age <= Instant::now()) {
                if progress.with(|it| it.is_opening()) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                age = None;
            }
        }
        connection.as_mut().graceful_shutdown();
        let _ended = tokio::time::timeout(FAREWELL, connection).await;
    }
}

async fn answer(
    router: axum::Router,
    request: Request<Incoming>,
    peer: Peer,
    progress: SharedProgress,
) -> Result<Response<Body>, Infallible> {
    /// Also where the client has gone before it is answered.
    struct Answered(SharedProgress);
    impl Drop for Answered {
        fn drop(&mut self) {
            self.0.with(|it| it.answered(Instant::now()));
        }
    }
    progress.with(Progress::asked);
    let _answered = Answered(progress);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}

/// The progress of a connection, for those who make it.
#[derive(Clone)]
struct SharedProgress(Arc<Mutex<Progress>>);

impl SharedProgress {
    fn new(progress: Progress) -> Self {
        Self(Arc::new(Mutex::new(progress)))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Progress) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream that tells what comes.
struct Observed {
    stream: Stream,
    progress: SharedProgress,
    is_shut: bool,
    discarded: usize,
    lingering: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Observed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let bytes = &buffer.filled()[before..];
        self.progress.with(|it| it.heard(bytes, Instant::now()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Observed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// A client that is still sending what nobody wants would get a reset in place of the answer, if nobody read on.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.is_shut = true;
        }
        let mut bytes = [0; 4096];
        while self.discarded < MAX_DISCARDED {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.discarded += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    let limit = || Box::pin(tokio::time::sleep(LINGER));
                    return self.lingering.get_or_insert_with(limit).as_mut().poll(context).map(Ok);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
