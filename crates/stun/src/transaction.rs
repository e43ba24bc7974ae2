//! A client's request, its retransmissions over UDP, and its end
//! ([RFC 8489 §6.2.1](https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1)).
//!
//! ```text
//! request  1     2           3                       4     ...     7 = Rc                        failed
//!          |-----|-----------|-----------------------|---- ... ----|--------------------------------|
//!          0    500         1500                    3500         31500                            39500 ms
//!           RTO    2 * RTO          4 * RTO                                Rm * RTO
//! ```

use core::time::Duration;

use rtckit_proto::Instant;

use crate::header::{Class, TransactionId};
use crate::message::Message;

/// How a request is repeated; the default is RFC 8489's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retransmission {
    /// RTO: the time before the second request is sent; it doubles with each one. 500 ms.
    pub rto: Duration,
    /// Where the doubling ends. The default never ends it.
    pub max_interval: Duration,
    /// Rc: how many requests are sent in all. 7.
    pub max_requests: u8,
    /// Rm: after the last request a response is awaited this many times `rto`. 16.
    pub last_wait: u8,
}

impl Default for Retransmission {
    fn default() -> Self {
        Self {
            rto: Duration::from_millis(500),
            max_interval: Duration::MAX,
            max_requests: 7,
            last_wait: 16,
        }
    }
}

impl Retransmission {
    /// Over a stream: the request is sent once and its response awaited for Ti = 39.5 s
    /// ([RFC 8489 §6.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-6.2.2)).
    pub const STREAM: Self = Self {
        rto: Duration::from_millis(39_500),
        max_interval: Duration::MAX,
        max_requests: 1,
        last_wait: 1,
    };
}

/// What a [`Transaction`] wants at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the whole of what a transaction can want"
)]
pub enum Step {
    /// Send the request, now: the same bytes each time.
    Send,
    /// Nothing until [`poll_timeout`](Transaction::poll_timeout).
    Wait,
    /// No response came in time.
    TimedOut,
}

/// One request awaiting its response.
///
/// It holds no bytes: the caller writes the same request again when [`poll`](Self::poll) says so.
///
/// ```
/// use rtckit_proto::Instant;
/// use rtckit_stun::{Retransmission, Step, Transaction, TransactionId};
///
/// let mut transaction = Transaction::new(TransactionId([1; 12]), Instant::ZERO, Retransmission::default());
/// assert_eq!(transaction.poll(Instant::ZERO), Step::Send);
/// assert_eq!(transaction.poll(Instant::from_millis(499)), Step::Wait);
/// assert_eq!(transaction.poll(Instant::from_millis(500)), Step::Send);
/// ```
#[derive(Clone, Debug)]
pub struct Transaction {
    id: TransactionId,
    retransmission: Retransmission,
    due: Instant,
    last_sent: Instant,
    sent: u8,
}

impl Transaction {
    /// A request to be sent first at `now`.
    pub const fn new(id: TransactionId, now: Instant, retransmission: Retransmission) -> Self {
        Self {
            id,
            retransmission,
            due: now,
            last_sent: now,
            sent: 0,
        }
    }

    /// Its id.
    pub const fn id(&self) -> TransactionId {
        self.id
    }

    /// How often the request has been sent.
    pub const fn sent(&self) -> u8 {
        self.sent
    }

    /// Whether `message` is a response to it. The caller still has to check integrity and where it came from.
    pub fn is_answered_by(&self, message: &Message<'_>) -> bool {
        matches!(
            message.class(),
            Class::SuccessResponse | Class::ErrorResponse
        ) && message.transaction_id() == self.id
    }

    /// The round-trip time, when a response arrives at `now`; `None` when the request was repeated, because
    /// then nobody knows which one was answered.
    pub fn rtt(&self, now: Instant) -> Option<Duration> {
        (self.sent == 1).then(|| now - self.last_sent)
    }

    /// What to do at `now`. It counts the request as sent when it returns [`Step::Send`].
    pub fn poll(&mut self, now: Instant) -> Step {
        if now < self.due {
            return Step::Wait;
        }
        if self.is_exhausted() {
            return Step::TimedOut;
        }
        self.sent += 1;
        self.last_sent = now;
        let Retransmission {
            rto, max_interval, ..
        } = self.retransmission;
        let wait = if self.is_exhausted() {
            rto.saturating_mul(self.retransmission.last_wait.into())
        } else {
            let doubled = 1_u32.checked_shl(u32::from(self.sent - 1));
            rto.saturating_mul(doubled.unwrap_or(u32::MAX))
                .min(max_interval)
        };
        self.due = now + wait;
        Step::Send
    }

    /// When [`poll`](Self::poll) wants to be called next.
    pub const fn poll_timeout(&self) -> Instant {
        self.due
    }

    /// Whether it has timed out at `now`.
    pub fn is_timed_out(&self, now: Instant) -> bool {
        self.is_exhausted() && now >= self.due
    }

    fn is_exhausted(&self) -> bool {
        self.sent >= self.retransmission.max_requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn schedule(retransmission: Retransmission) -> (Vec<u64>, u64) {
        let mut transaction =
            Transaction::new(TransactionId([0; 12]), Instant::ZERO, retransmission);
        let mut sent = Vec::new();
        loop {
            let now = transaction.poll_timeout();
            match transaction.poll(now) {
                Step::Send => sent.push(now.as_millis()),
                Step::TimedOut => return (sent, now.as_millis()),
                Step::Wait => unreachable!("polled when it asked to be"),
            }
        }
    }

    #[test]
    fn the_schedule_of_the_rfc() {
        let (sent, failed) = schedule(Retransmission::default());
        assert_eq!(sent, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
        assert_eq!(failed, 39_500);
    }

    #[test]
    fn over_a_stream_once() {
        let (sent, failed) = schedule(Retransmission::STREAM);
        assert_eq!((&sent[..], failed), (&[0][..], 39_500));
    }

    #[test]
    fn the_doubling_can_have_an_end() {
        let (sent, failed) = schedule(Retransmission {
            max_interval: Duration::from_millis(1_200),
            ..Retransmission::default()
        });
        assert_eq!(sent, [0, 500, 1500, 2700, 3900, 5100, 6300]);
        assert_eq!(failed, 6_300 + 8_000, "the last wait is its own");
    }

    #[test]
    fn many_requests_do_not_overflow() {
        let (sent, _) = schedule(Retransmission {
            max_requests: 255,
            ..Retransmission::default()
        });
        assert_eq!(sent.len(), 255);
        let (sent, failed) = schedule(Retransmission {
            max_requests: 0,
            ..Retransmission::default()
        });
        assert_eq!(
            (sent.len(), failed),
            (0, 0),
            "nothing to send fails at once"
        );
    }

    #[test]
    fn only_an_unrepeated_request_measures() {
        let mut transaction = Transaction::new(
            TransactionId([0; 12]),
            Instant::ZERO,
            Retransmission::default(),
        );
        assert_eq!(
            transaction.rtt(Instant::from_millis(20)),
            None,
            "not sent yet"
        );
        transaction.poll(Instant::ZERO);
        assert_eq!(
            transaction.rtt(Instant::from_millis(20)),
            Some(Duration::from_millis(20))
        );
        transaction.poll(Instant::from_millis(500));
        assert_eq!(transaction.rtt(Instant::from_millis(520)), None);
    }
}
