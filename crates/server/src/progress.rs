//! How far a connection has come, and how long it may take to come further: who connects and sends nothing, a part of a request, or
//! nothing more, is let go of.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Advanced;

/// What HTTP/2 begins with: RFC 9113, 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A frame of settings follows, whose head is 9 bytes.
const OPENING: usize = PREFACE.len() + 9;

/// How long a connection may wait. None: for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until it is there: TLS is set up, and HTTP/2 has begun or the head of a first request has come.
    pub(crate) opening: Option<Duration>,
    /// From the first byte of a head to its last.
    pub(crate) head: Option<Duration>,
    /// Between requests.
    pub(crate) idle: Option<Duration>,
}

impl Patience {
    pub(crate) fn of_http(advanced: &Advanced) -> Self {
        let http = &advanced.http;
        // Where one is not limited, the time of a whole request is its limit, as in Go.
        let head = http.read_header_timeout.limit().or(http.read_timeout.limit());
        let idle = http.idle_timeout.limit().or(http.read_timeout.limit());
        Self { opening: head, head, idle }
    }

    /// Connections of gRPC are kept, as clients expect, until they are too old.
    pub(crate) fn of_grpc(advanced: &Advanced) -> Self {
        Self {
            opening: advanced.grpc.connection_timeout.limit(),
            head: advanced.http.read_header_timeout.limit(),
            idle: None,
        }
    }

    /// With so much time at most for whoever is there already.
    pub(crate) fn at_most(self, limit: Duration) -> Self {
        let shorter = |own: Option<Duration>| Some(own.map_or(limit, |own| own.min(limit)));
        Self { head: shorter(self.head), idle: shorter(self.idle), ..self }
    }

    /// The shortest of them: nothing can be over earlier, whatever comes next.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        [self.opening, self.head, self.idle].into_iter().flatten().min()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// So many bytes have come, all of them such as HTTP/2 begins with.
    Opening {
        since: Instant,
        seen: usize,
    },
    /// A head is on its way.
    Head {
        since: Instant,
    },
    /// So many requests are being answered.
    Answering(usize),
    Idle {
        since: Instant,
    },
}

/// When a connection has waited long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// Whether nothing of a request has come that would be lost.
    pub(crate) is_idle: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    phase: Phase,
    http2: bool,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self { phase: Phase::Opening { since: now, seen: 0 }, http2: false }
    }

    /// Bytes have come.
    pub(crate) fn heard(&mut self, bytes: &[u8], now: Instant) {
        match self.phase {
            _ if bytes.is_empty() => {}
            Phase::Opening { since, seen } => {
                let expected = PREFACE.get(seen..).unwrap_or_default();
                let compared = bytes.len().min(expected.len());
                let seen = seen + bytes.len();
                if bytes[..compared] != expected[..compared] {
                    self.phase = Phase::Head { since };
                } else if seen < OPENING {
                    self.phase = Phase::Opening { since, seen };
                } else {
                    self.http2 = true;
                    self.phase = Phase::Idle { since: now };
                }
            }
            // Frames of HTTP/2 come between requests, too.
            Phase::Idle { .. } if !self.http2 => self.phase = Phase::Head { since: now },
            Phase::Idle { .. } | Phase::Head { .. } | Phase::Answering(_) => {}
        }
    }

    /// A request has come.
    pub(crate) fn asked(&mut self) {
        self.phase = match self.phase {
            Phase::Answering(count) => Phase::Answering(count + 1),
            _ => Phase::Answering(1),
        };
    }

    /// A request is answered.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.phase = match self.phase {
            Phase::Answering(count) if count > 1 => Phase::Answering(count - 1),
            _ => Phase::Idle { since: now },
        };
    }

    /// Whether nothing has come yet that can be answered.
    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    /// None while it may take as long as it wants.
    pub(crate) fn deadline(&self, patience: &Patience) -> Option<Deadline> {
        let (since, limit, is_idle) = match self.phase {
            Phase::Opening { since, .. } => (since, patience.opening, false),
            Phase::Head { since } => (since, patience.head, false),
            Phase::Idle { since } => (since, patience.idle, true),
            Phase::Answering(_) => return None,
        };
        Some(Deadline { at: since + limit?, is_idle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        opening: Some(Duration::from_secs(1)),
        head: Some(Duration::from_secs(2)),
        idle: Some(Duration::from_secs(3)),
    };

    /// What ends a connection, in seconds from its beginning, and whether it is idle.
    fn deadline(progress: &Progress, start: Instant) -> Option<(u64, bool)> {
        progress.deadline(&PATIENCE).map(|it| ((it.at - start).as_secs(), it.is_idle))
    }

    #[test]
    fn what_opens_a_connection_has_one_limit_however_it_drips() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        assert_eq!(deadline(&progress, start), Some((1, false)));
        for byte in PREFACE {
            progress.heard(&[*byte], start + Duration::from_secs(1));
            assert_eq!(deadline(&progress, start), Some((1, false)));
        }
        progress.heard(&[0; 8], start);
        assert_eq!(deadline(&progress, start), Some((1, false)), "settings have not come");
        progress.heard(&[0], start + Duration::from_secs(1));
        assert_eq!(deadline(&progress, start), Some((4, true)), "HTTP/2 is there");
        progress.heard(&[0; 17], start + Duration::from_secs(3));
        assert_eq!(deadline(&progress, start), Some((4, true)), "a ping is no request");
    }

    #[test]
    fn a_head_has_a_limit_from_its_first_byte() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        progress.heard(b"PRI", start);
        progress.heard(b"X / HTTP/1.1\r\n", start + Duration::from_secs(1));
        assert_eq!(deadline(&progress, start), Some((2, false)));
        progress.asked();
        assert_eq!(deadline(&progress, start), None);
        progress.answered(start + Duration::from_secs(5));
        assert_eq!(deadline(&progress, start), Some((8, true)));
        progress.heard(b"GET", start + Duration::from_secs(7));
        progress.heard(b" / ", start + Duration::from_secs(8));
        assert_eq!(deadline(&progress, start), Some((9, false)));
    }

    #[test]
    fn it_is_idle_when_all_is_answered() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        progress.heard(&[PREFACE, &[0; 9]].concat(), start);
        progress.asked();
        progress.asked();
        progress.answered(start);
        assert_eq!(deadline(&progress, start), None);
        progress.answered(start + Duration::from_secs(1));
        assert_eq!(deadline(&progress, start), Some((4, true)));
    }

    #[test]
    fn without_a_limit_there_is_no_deadline() {
        let patience = Patience { opening: None, head: None, idle: None };
        assert_eq!(Progress::new(Instant::now()).deadline(&patience), None);
        assert_eq!(patience.shortest(), None);
        assert_eq!(PATIENCE.shortest(), Some(Duration::from_secs(1)));
        let limited = |limit| patience.at_most(Duration::from_secs(limit));
        assert_eq!(
            (limited(5).head, limited(5).idle),
            (Some(Duration::from_secs(5)), Some(Duration::from_secs(5)))
        );
        assert_eq!(PATIENCE.at_most(Duration::from_secs(5)).idle, PATIENCE.idle);
    }
}
