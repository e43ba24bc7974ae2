//! A toy protocol: numbered messages, each sent again until it is acknowledged.
//!
//! ```text
//!   [0, number]  a message        [1, number]  its acknowledgement
//! ```

use core::time::Duration;
use std::collections::VecDeque;

use rtckit_proto::{Datagram, FiveTuple, Instant, Machine, Transmit};

/// After this long an unacknowledged message is sent again.
pub(crate) const RETRY: Duration = Duration::from_millis(100);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Received(u8),
    Acknowledged(u8),
}

#[derive(Debug)]
pub(crate) struct Toy {
    path: FiveTuple,
    /// Messages not acknowledged yet, and when each is sent (again).
    pending: Vec<(u8, Instant)>,
    acknowledgements: VecDeque<u8>,
    events: VecDeque<Event>,
}

impl Toy {
    /// One side; it sends `messages` messages at once.
    pub(crate) fn new(local: &str, remote: &str, messages: u8) -> Self {
        Self {
            path: FiveTuple::udp(local.parse().unwrap(), remote.parse().unwrap()),
            pending: (0..messages)
                .map(|number| (number, Instant::ZERO))
                .collect(),
            acknowledgements: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }
}

impl Machine for Toy {
    type Event = Event;

    fn handle_input(&mut self, _now: Instant, datagram: Datagram<'_>) {
        assert_eq!(
            datagram.path, self.path,
            "the network turns the path around"
        );
        match *datagram.data {
            [0, number] => {
                self.acknowledgements.push_back(number);
                self.events.push_back(Event::Received(number));
            }
            [1, number] => {
                let before = self.pending.len();
                self.pending.retain(|&(pending, _)| pending != number);
                if self.pending.len() < before {
                    self.events.push_back(Event::Acknowledged(number));
                }
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if let Some(number) = self.acknowledgements.pop_front() {
            buf[..2].copy_from_slice(&[1, number]);
            return Some(Transmit::new(self.path, 2));
        }
        let (number, at) = self.pending.iter_mut().find(|(_, at)| *at <= now)?;
        *at = now + RETRY;
        buf[..2].copy_from_slice(&[0, *number]);
        Some(Transmit::new(self.path, 2))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().map(|&(_, at)| at).min()
    }
}
