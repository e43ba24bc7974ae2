//! What one shard knows of the others: which of them a datagram is for.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use rtckit_proto::{FiveTuple, Instant};

use super::shard::{Command, ShardHandle};
use super::steer::Notes;

/// How many clients' datagrams are passed on, and how long without one until that ends.
const MAX_ELSEWHERE: usize = 4096;
const ELSEWHERE_TIMEOUT: Duration = Duration::from_secs(3600);

/// The other shards of a server.
pub(super) struct Siblings {
    pub(super) place: usize,
    pub(super) all: Vec<ShardHandle>,
    pub(super) notes: Arc<Notes>,
    /// Clients that have their allocation in another shard: what they send is passed on.
    elsewhere: HashMap<FiveTuple, (usize, Instant)>,
}

impl Siblings {
    pub(super) fn new(place: usize, all: Vec<ShardHandle>, notes: Arc<Notes>) -> Self {
        Self {
            place,
            all,
            notes,
            elsewhere: HashMap::new(),
        }
    }

    /// Passes on what is another shard's; returns whether it was. `is_here` tells whether the path has an allocation here,
    /// which nobody's token takes away.
    ///
    /// A token by itself moves nothing but the request it comes in: who sends it has proved nothing yet.
    pub(super) fn pass_on(
        &mut self,
        now: Instant,
        path: FiveTuple,
        datagram: &[u8],
        is_here: impl FnOnce() -> bool,
    ) -> bool {
        let place = if is_request(datagram) {
            if is_here() {
                return false;
            }
            // what it brings says more than where its path led before, which may have been another client's
            let named = self.notes.shard_of(datagram);
            let home = self.learn(now, path);
            named.or(home)
        } else {
            // nearly all are for this shard: a look that costs nothing
            if self.elsewhere.is_empty() {
                return false;
            }
            let known = self.elsewhere.get_mut(&path).map(|(place, last)| {
                *last = now;
                *place
            });
            known.filter(|_| !is_here())
        };
        let Some(place) = place.filter(|place| *place != self.place) else {
            return false;
        };
        if let Some(shard) = self.all.get(place) {
            shard.offer(Command::Datagram(path, datagram.to_vec()));
        }
        true
    }

    /// Tells the others that the allocation of `path`, whose datagrams one of them receives, is here.
    pub(super) fn settle(&self, path: FiveTuple) {
        self.notes.settle(path, self.place);
    }

    /// Looks up which shard has said that the allocation of `path` is there, and keeps it at hand.
    fn learn(&mut self, now: Instant, path: FiveTuple) -> Option<usize> {
        let place = self.notes.home_of(&path)?;
        if self.elsewhere.len() >= MAX_ELSEWHERE {
            self.elsewhere
                .retain(|_, (_, last)| *last + ELSEWHERE_TIMEOUT > now);
        }
        if self.elsewhere.len() < MAX_ELSEWHERE || self.elsewhere.contains_key(&path) {
            self.elsewhere.insert(path, (place, now));
        }
        Some(place)
    }
}

/// Whether a datagram is a request: the two bits of the class are 0, and so is the first byte for all of TURN's methods.
fn is_request(datagram: &[u8]) -> bool {
    matches!(datagram, [0x00, method, ..] if method & 0x10 == 0)
}

/// Whether a datagram is an Allocate or Refresh request: what may bring a token or a ticket.
pub(super) fn is_moving(datagram: &[u8]) -> bool {
    matches!(datagram, [0x00, 0x03 | 0x04, ..])
}

#[cfg(test)]
mod tests {
    use mio::{Poll, Token, Waker};
    use rtckit_stun::{Class, MessageWriter, Method, TransactionId};
    use tokio::sync::mpsc;

    use super::*;

    const TOKEN: [u8; 8] = [7; 8];

    fn message(class: Class, method: Method, token: Option<[u8; 8]>) -> Vec<u8> {
        let mut buf = [0; 64];
        let id = TransactionId([1; 12]);
        let mut writer = MessageWriter::new(&mut buf, class, method, id).unwrap();
        if let Some(token) = token {
            writer.reservation_token(token).unwrap();
        }
        let len = writer.finish();
        buf[..len].to_vec()
    }

    fn allocate(class: Class) -> Vec<u8> {
        message(class, Method::ALLOCATE, Some(TOKEN))
    }

    fn handle() -> (ShardHandle, mpsc::Receiver<Command>) {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let (commands, receiver) = mpsc::channel(16);
        let handle = ShardHandle {
            commands,
            waker,
            is_stopped: Arc::default(),
        };
        (handle, receiver)
    }

    /// The first of two shards, what the second is told, and the second.
    fn two_shards() -> (Siblings, mpsc::Receiver<Command>, Siblings) {
        let ((here, _own), (there, received)) = (handle(), handle());
        let notes = Arc::new(Notes::default());
        notes.note(1, &allocate(Class::SuccessResponse));
        let all = vec![here, there];
        let second = Siblings::new(1, all.clone(), Arc::clone(&notes));
        (Siblings::new(0, all, notes), received, second)
    }

    fn path() -> FiveTuple {
        FiveTuple::udp(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into())
    }

    const CHANNEL_DATA: [u8; 4] = [0x40, 0, 0, 0];

    /// A request with another client's token may come from any address that somebody writes on it.
    #[test]
    fn a_token_moves_no_client_that_is_here_and_nobody_for_good() {
        let (mut first, mut received, _second) = two_shards();
        let (now, request) = (Instant::ZERO, allocate(Class::Request));

        assert!(!first.pass_on(now, path(), &request, || true));
        assert!(received.try_recv().is_err());

        assert!(first.pass_on(now, path(), &request, || false));
        assert!(matches!(received.try_recv(), Ok(Command::Datagram(..))));
        let plain = message(Class::Request, Method::REFRESH, None);
        assert!(!first.pass_on(now, path(), &plain, || false));
        assert!(!first.pass_on(now, path(), &CHANNEL_DATA, || false));
    }

    /// The answer may reach the client, and its next request the first shard, before that has looked at anything else.
    #[test]
    fn what_the_other_shard_has_verified_holds_at_once() {
        let (mut first, mut received, second) = two_shards();
        let now = Instant::ZERO;
        second.settle(path());
        for method in [Method::REFRESH, Method::CREATE_PERMISSION] {
            let plain = message(Class::Request, method, None);
            assert!(first.pass_on(now, path(), &plain, || false));
            assert!(received.try_recv().is_ok());
        }
        assert!(first.pass_on(now, path(), &CHANNEL_DATA, || false));
        assert!(received.try_recv().is_ok());
    }

    /// The path may be another client's by now.
    #[test]
    fn a_token_says_more_than_a_path() {
        let (mut first, mut received, second) = two_shards();
        let now = Instant::ZERO;
        first.settle(path());
        assert!(first.pass_on(now, path(), &allocate(Class::Request), || false));
        assert!(received.try_recv().is_ok());
        second.settle(path());
        let plain = message(Class::Request, Method::REFRESH, None);
        assert!(first.pass_on(now, path(), &plain, || false));
        assert!(first.pass_on(now, path(), &CHANNEL_DATA, || false));
        first.settle(path());
        assert!(!first.pass_on(now, path(), &plain, || false));
        assert!(!first.pass_on(now, path(), &CHANNEL_DATA, || false));
    }
}
