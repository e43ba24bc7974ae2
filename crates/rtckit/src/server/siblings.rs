//! What one shard knows of the others: which of them a datagram is for.

use std::sync::Arc;

use rtckit_proto::FiveTuple;
use rtckit_turn::instance_of;

use super::shard::{Command, ShardHandle};
use super::steer::Homes;

/// The other shards of a server.
pub(super) struct Siblings {
    pub(super) place: usize,
    pub(super) all: Vec<ShardHandle>,
    pub(super) homes: Arc<Homes>,
}

impl Siblings {
    /// Passes on what is another shard's; returns whether it was. `is_here` tells whether the path has an allocation here,
    /// which nobody's token takes away.
    ///
    /// A token by itself moves nothing but the request it comes in: who sends it has proved nothing yet.
    pub(super) fn pass_on(
        &self,
        path: FiveTuple,
        datagram: &[u8],
        is_here: impl FnOnce() -> bool,
    ) -> bool {
        let named = instance_of(datagram).map(usize::from);
        // nearly all are for this shard: two looks that cost nothing
        if named.is_none() && self.homes.is_empty() || is_here() {
            return false;
        }
        // what it brings says more than where its path led before, which may have been another client's
        let place = named.or_else(|| self.homes.of(&path));
        let Some(shard) = place
            .filter(|place| *place != self.place)
            .and_then(|place| self.all.get(place))
        else {
            return false;
        };
        shard.offer(Command::Datagram(path, datagram.to_vec()));
        true
    }

    /// Tells the others that the allocation of `path`, whose datagrams one of them receives, is here.
    pub(super) fn settle(&self, path: FiveTuple) {
        self.homes.settle(path, self.place);
    }
}

#[cfg(test)]
mod tests {
    use mio::{Poll, Token, Waker};
    use rtckit_stun::{Class, MessageWriter, Method, TransactionId};
    use tokio::sync::mpsc;

    use super::*;

    /// The second shard gave it.
    const TOKEN: [u8; 8] = [1, 7, 7, 7, 7, 7, 7, 7];

    fn message(method: Method, token: Option<[u8; 8]>) -> Vec<u8> {
        let mut buf = [0; 64];
        let id = TransactionId([1; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, method, id).unwrap();
        if let Some(token) = token {
            writer.reservation_token(token).unwrap();
        }
        let len = writer.finish();
        buf[..len].to_vec()
    }

    fn allocate() -> Vec<u8> {
        message(Method::ALLOCATE, Some(TOKEN))
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
        let (homes, all) = (Arc::<Homes>::default(), vec![here, there]);
        let [first, second] = [0, 1].map(|place| Siblings {
            place,
            all: all.clone(),
            homes: Arc::clone(&homes),
        });
        (first, received, second)
    }

    fn path() -> FiveTuple {
        FiveTuple::udp(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into())
    }

    const CHANNEL_DATA: [u8; 4] = [0x40, 0, 0, 0];

    /// A request with another client's token may come from any address that somebody writes on it.
    #[test]
    fn a_token_moves_no_client_that_is_here_and_nobody_for_good() {
        let (first, mut received, _second) = two_shards();
        let request = allocate();

        assert!(!first.pass_on(path(), &request, || true));
        assert!(received.try_recv().is_err());

        assert!(first.pass_on(path(), &request, || false));
        assert!(matches!(received.try_recv(), Ok(Command::Datagram(..))));
        let plain = message(Method::REFRESH, None);
        assert!(!first.pass_on(path(), &plain, || false));
        assert!(!first.pass_on(path(), &CHANNEL_DATA, || false));
    }

    /// The answer may reach the client, and its next request the first shard, before that has looked at anything else.
    #[test]
    fn what_the_other_shard_has_verified_holds_at_once() {
        let (first, mut received, second) = two_shards();
        second.settle(path());
        let plain = |method| message(method, None);
        let (refresh, permit) = (plain(Method::REFRESH), plain(Method::CREATE_PERMISSION));
        // a client that has moved sends data first (RFC 8016 §3.2.2)
        for datagram in [&CHANNEL_DATA[..], &refresh, &permit] {
            assert!(first.pass_on(path(), datagram, || false));
            assert!(received.try_recv().is_ok());
        }
    }

    /// The path may be another client's by now.
    #[test]
    fn a_token_says_more_than_a_path() {
        let (first, mut received, second) = two_shards();
        first.settle(path());
        assert!(first.pass_on(path(), &allocate(), || false));
        assert!(received.try_recv().is_ok());
        second.settle(path());
        let plain = message(Method::REFRESH, None);
        assert!(first.pass_on(path(), &plain, || false));
        assert!(first.pass_on(path(), &CHANNEL_DATA, || false));
        first.settle(path());
        assert!(!first.pass_on(path(), &plain, || false));
        assert!(!first.pass_on(path(), &CHANNEL_DATA, || false));
    }
}
