//! Bodies that end in time: a call whose message never comes is not waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// Has the body of a request fail when it has not come as a whole in so much time.
pub(crate) fn punctual(request: Request, limit: Duration) -> Request {
    let until = Instant::now() + limit;
    request.map(|body| Body::new(Punctual { body, until, sleep: None }))
}

struct Punctual {
    body: Body,
    until: Instant,
    /// Most bodies are there already, and need none.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Punctual {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let until = self.until;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        sleep.as_mut().poll(context).map(|()| {
            let status = tonic::Status::deadline_exceeded("the request took too long to arrive");
            Some(Err(axum::Error::new(status)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
