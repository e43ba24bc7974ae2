//! Consent freshness on the selected pair ([RFC 7675](https://www.rfc-editor.org/rfc/rfc7675)).
//!
//! ```text
//! selected            request   request   request ...   each 5 s, randomised by 20 %, never repeated
//!    |------------------|---------|---------|--------
//!    '-- answered: consent lasts 30 s more ------------------------------------------'-- expired
//! ```
//! A consent belongs to the credentials it was given under: through an ICE restart the old one lives on until the
//! new session has selected a pair.

use core::time::Duration;

use arrayvec::ArrayVec;
use rtckit_proto::{FiveTuple, Instant, Random};
use rtckit_stun::TransactionId;

use crate::config::AgentConfig;
use crate::session::RemoteSession;

/// As many requests as fit into 30 s at the shortest spacing of 4 s, and one more.
const MAX_OUTSTANDING: usize = 9;

/// The consent to send on one path.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    pub(crate) session: RemoteSession,
    pub(crate) path: FiveTuple,
    /// PRIORITY of the requests.
    pub(crate) priority: u32,
    interval: Duration,
    silence: Duration,
    timeout: Duration,
    outstanding: ArrayVec<(TransactionId, Instant), MAX_OUTSTANDING>,
    next_request: Instant,
    granted: Instant,
    heard: Instant,
    silent: bool,
}

impl Consent {
    /// The answered check that selected the pair has given consent.
    pub(crate) fn new(
        session: RemoteSession,
        path: FiveTuple,
        priority: u32,
        now: Instant,
        config: &AgentConfig,
        random: &mut dyn Random,
    ) -> Self {
        Self {
            session,
            path,
            priority,
            interval: config.consent_interval,
            silence: config.disconnected_timeout,
            timeout: config.consent_timeout,
            outstanding: ArrayVec::new(),
            next_request: now + randomised(config.consent_interval, random),
            granted: now,
            heard: now,
            silent: false,
        }
    }

    /// The id of the request to send, if one is due.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
    ) -> Option<TransactionId> {
        if now < self.next_request {
            return None;
        }
        self.next_request = now + randomised(self.interval, random);
        let id = TransactionId::new(random);
        if self.outstanding.is_full() {
            self.outstanding.remove(0);
        }
        self.outstanding.push((id, now));
        Some(id)
    }

    /// Whether `id` is one of its requests.
    pub(crate) fn has_sent(&self, id: TransactionId) -> bool {
        self.outstanding.iter().any(|&(sent, _)| sent == id)
    }

    /// An authentic answer to request `id`: consent is renewed. Returns the round-trip time.
    pub(crate) fn on_response(&mut self, now: Instant, id: TransactionId) -> Option<Duration> {
        let index = self.outstanding.iter().position(|&(sent, _)| sent == id)?;
        let (_, sent) = self.outstanding.remove(index);
        // What was sent before it is not worth waiting for: it could only renew an older consent.
        self.outstanding.drain(..index);
        self.granted = now;
        self.on_heard(now);
        Some(now - sent)
    }

    /// The peer gave an authentic sign of life on the path.
    pub(crate) const fn on_heard(&mut self, now: Instant) {
        self.heard = now;
        self.silent = false;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.silent |= now >= self.heard + self.silence;
    }

    /// Whether the peer has been silent for `disconnected_timeout`.
    pub(crate) const fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether nothing may be sent any more.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        now >= self.granted + self.timeout
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        let expiry = self.granted + self.timeout;
        let due = self.next_request.min(expiry);
        if self.silent {
            due
        } else {
            due.min(self.heard + self.silence)
        }
    }
}

/// `interval` times 0.8 to 1.2.
fn randomised(interval: Duration, random: &mut dyn Random) -> Duration {
    let spread = u64::try_from((interval * 2 / 5).as_nanos()).unwrap_or(u64::MAX);
    interval * 4 / 5 + Duration::from_nanos(random.below(spread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use rtckit_proto::SeededRandom;

    fn consent(random: &mut SeededRandom) -> Consent {
        let credentials = Credentials::generate(random);
        let path = FiveTuple::udp(
            "192.0.2.1:1".parse().unwrap(),
            "192.0.2.2:2".parse().unwrap(),
        );
        let session = RemoteSession::new(credentials, "abcd");
        Consent::new(
            session,
            path,
            1,
            Instant::ZERO,
            &AgentConfig::default(),
            random,
        )
    }

    #[test]
    fn requests_are_four_to_six_seconds_apart() {
        let mut random = SeededRandom::new(3);
        let mut consent = consent(&mut random);
        let mut last = Instant::ZERO;
        for _ in 0..100 {
            let due = consent.next_request;
            assert_eq!(
                consent.request(due - Duration::from_nanos(1), &mut random),
                None
            );
            let id = consent.request(due, &mut random).unwrap();
            assert!((4_000..6_000).contains(&(due - last).as_millis()));
            last = due;
            assert!(consent.outstanding.len() <= MAX_OUTSTANDING);
            assert!(consent.has_sent(id));
        }
    }

    #[test]
    fn silence_then_expiry() {
        let mut random = SeededRandom::new(3);
        let mut consent = consent(&mut random);
        let id = consent
            .request(Instant::from_millis(6_000), &mut random)
            .unwrap();
        assert_eq!(
            consent.on_response(Instant::from_millis(6_100), id),
            Some(Duration::from_millis(100))
        );
        assert_eq!(
            consent.on_response(Instant::from_millis(6_200), id),
            None,
            "once"
        );
        consent.handle_timeout(Instant::from_millis(13_099));
        assert!(!consent.is_silent());
        consent.handle_timeout(Instant::from_millis(13_100));
        assert!(consent.is_silent());
        consent.on_heard(Instant::from_millis(20_000));
        assert!(!consent.is_silent());
        assert!(!consent.is_expired(Instant::from_millis(36_099)));
        assert!(
            consent.is_expired(Instant::from_millis(36_100)),
            "hearing is not consenting"
        );
    }
}
