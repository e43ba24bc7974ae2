//! What every machine promises, checked while it is driven.

use rtckit_proto::{Instant, Machine};

/// How often a machine may ask for the present before it counts as stuck there.
const MAX_WAKES: usize = 64;
/// How many datagrams, or events, one machine may have waiting: more is a queue without a ceiling.
const MAX_DRAINED: usize = 20_000;

/// Takes out everything `machine` has to send and to tell, and wakes it for whatever is due at `now`.
///
/// Panics when the machine has more waiting than any of its queues should hold, or when it goes on asking for a
/// time that has come: a driver that obeyed it would spin.
pub fn settle<M: Machine>(
    machine: &mut M,
    now: Instant,
    buf: &mut [u8],
    mut on_datagram: impl FnMut(&rtckit_proto::Transmit, &[u8]),
    mut on_event: impl FnMut(M::Event),
) {
    for _ in 0..MAX_WAKES {
        let mut drained = 0;
        loop {
            let transmit = machine.poll_transmit(now, buf);
            let event = machine.poll_event();
            if transmit.is_none() && event.is_none() {
                break;
            }
            drained += 1;
            assert!(drained < MAX_DRAINED, "a queue without a ceiling");
            if let Some(transmit) = transmit {
                let run = buf
                    .get(transmit.range.clone())
                    .expect("what was written lies within the buffer");
                assert!(!run.is_empty(), "an empty datagram");
                for datagram in transmit.segments(buf) {
                    on_datagram(&transmit, datagram);
                }
            }
            if let Some(event) = event {
                on_event(event);
            }
        }
        if machine.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        machine.handle_timeout(now);
    }
    panic!(
        "stuck: woken {MAX_WAKES} times at {now:?}, it still asks for {:?}",
        machine.poll_timeout()
    );
}
