//! What stands between the peers and their sockets: a worse network.

use rtckit::{FiveTuple, Instant, Shaper};
use rtckit_netsim::{Link, LinkConfig};

use super::options::Options;

/// One direction of the impaired network.
#[derive(Debug)]
pub(crate) struct ImpairedLink(Link);

impl ImpairedLink {
    /// A link as the options want it. The fates of the datagrams repeat from `seed`.
    pub(crate) fn new(options: &Options, seed: u64) -> Self {
        let config = LinkConfig {
            loss: options.loss / 100.0,
            delay: options.delay,
            jitter: options.jitter,
            ..LinkConfig::default()
        };
        Self(Link::new(config, seed))
    }
}

impl Shaper for ImpairedLink {
    fn push(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) {
        self.0.send(now, path, datagram);
    }

    fn poll(&mut self, now: Instant) -> Option<(FiveTuple, &[u8])> {
        self.0
            .poll(now)
            .map(|delivery| (delivery.path, &*delivery.data))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }
}
