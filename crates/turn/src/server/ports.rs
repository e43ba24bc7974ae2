//! Which ports of the relay addresses are taken, and behind which of them there is a relay.

use alloc::boxed::Box;
use core::fmt;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU32, Ordering};

use rtckit_proto::{Random, Transport};
use rtckit_stun::AddressFamily;

use crate::server::relay::PortChoice;

/// The relay ports of a server, for all shards of it that have the same [`relays`](crate::ServerConfig::relays).
///
/// Each shard takes ports from the whole range and gives them back when the relay closes or the shard is dropped; and
/// each knows by it where the others have relays, which are peers like any other. There is no lock in it. It takes
/// 64 KiB, whatever the range.
pub struct RelayPorts {
    /// Of IPv4 and IPv6.
    udp: [Ports; 2],
    tcp: [Ports; 2],
}

impl RelayPorts {
    /// All ports are free.
    pub fn new() -> Self {
        let both = || [Ports::new(), Ports::new()];
        Self {
            udp: both(),
            tcp: both(),
        }
    }

    /// The ports of one transport and family, which are no other's.
    pub(crate) const fn of(&self, transport: Transport, family: AddressFamily) -> &Ports {
        let [v4, v6] = match transport {
            Transport::Udp => &self.udp,
            _ => &self.tcp,
        };
        match family {
            AddressFamily::Ipv4 => v4,
            AddressFamily::Ipv6 => v6,
        }
    }
}

impl Default for RelayPorts {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RelayPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayPorts").finish_non_exhaustive()
    }
}

const WORDS: usize = 65_536 / 32;

/// The bits of even ports. The two of a pair share a word.
const EVEN: u32 = 0x5555_5555;

/// The ports of one transport and family, two bits each.
pub(crate) struct Ports {
    taken: Box<[AtomicU32]>,
    /// Where the driver has bound a relay. A port that is taken only may still turn out to be another program's.
    relayed: Box<[AtomicU32]>,
}

impl Ports {
    fn new() -> Self {
        let none = || (0..WORDS).map(|_| AtomicU32::new(0)).collect();
        Self {
            taken: none(),
            relayed: none(),
        }
    }

    /// Takes a free port of `range`, from a random one on: nobody is to guess the next
    /// ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)). With `Pair` it takes an even one and the one
    /// after it, and returns the even one.
    pub(super) fn take(
        &self,
        range: &RangeInclusive<u16>,
        choice: PortChoice,
        random: &mut impl Random,
    ) -> Option<u16> {
        let (first, last) = ((*range.start()).max(1), *range.end());
        let count = u64::from(last.checked_sub(first)?) + 1;
        let start = first + random.below(count) as u16;
        self.take_first(start, last, choice)
            // all of them once more, so that no pair is missed that lies across `start`
            .or_else(|| self.take_first(first, last, choice))
    }

    fn take_first(&self, first: u16, last: u16, choice: PortChoice) -> Option<u16> {
        (first / 32..=last / 32).find_map(|place| {
            let base = place * 32;
            let from = first.saturating_sub(base);
            let to = (last - base).min(31);
            let within = u32::MAX << from & u32::MAX >> (31 - to);
            let taken = self.taken.get(usize::from(place))?;
            Some(base + take_bit(taken, within, choice)?)
        })
    }

    /// The driver has bound a relay to a port that was taken.
    pub(crate) fn open(&self, port: u16) {
        let (place, bit) = bit_of(port);
        if let Some(relayed) = self.relayed.get(place) {
            relayed.fetch_or(bit, Ordering::AcqRel);
        }
    }

    pub(crate) fn give_back(&self, port: u16) {
        let (place, bit) = bit_of(port);
        // in this order, and with an Ordering that keeps it: who takes the port next may have opened it by the time
        // this returns
        for bits in [&self.relayed, &self.taken] {
            if let Some(bits) = bits.get(place) {
                bits.fetch_and(!bit, Ordering::AcqRel);
            }
        }
    }

    /// Whether a relay is bound to `port` now.
    pub(crate) fn has_relay(&self, port: u16) -> bool {
        let (place, bit) = bit_of(port);
        let relayed = self.relayed.get(place);
        relayed.is_some_and(|relayed| relayed.load(Ordering::Acquire) & bit != 0)
    }
}

const fn bit_of(port: u16) -> (usize, u32) {
    (port as usize / 32, 1 << (port % 32))
}

/// Takes the lowest bit that fits, and says which. A bit that another shard is quicker to take is simply taken.
fn take_bit(taken: &AtomicU32, within: u32, choice: PortChoice) -> Option<u16> {
    let fitting = |taken: u32| {
        let free = !taken & within;
        let fitting = match choice {
            PortChoice::Any => free,
            PortChoice::Even => free & EVEN,
            PortChoice::Pair => free & free >> 1 & EVEN,
        };
        (fitting != 0).then(|| fitting.trailing_zeros())
    };
    let bits = if choice == PortChoice::Pair {
        0b11
    } else {
        0b1
    };
    let take = |taken| Some(taken | bits << fitting(taken)?);
    let before = taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
    fitting(before.ok()?).map(|bit| bit as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use rtckit_proto::SeededRandom;

    #[test]
    fn each_port_once() {
        let mut random = SeededRandom::new(3);
        for range in [1000..=1099, 65_500..=65_535, 0..=10, 7..=7, 31..=32] {
            let ports = Ports::new();
            for _ in 0..2 {
                let taken: Vec<u16> =
                    core::iter::from_fn(|| ports.take(&range, PortChoice::Any, &mut random))
                        .collect();
                assert!(taken.iter().all(|port| range.contains(port) && *port > 0));
                let expected = range.clone().filter(|&port| port > 0).count();
                assert_eq!(taken.len(), expected);
                assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), expected);
                for port in taken {
                    ports.give_back(port);
                    ports.give_back(port);
                }
            }
        }
    }

    #[test]
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range of nothing has to do no harm"
    )]
    fn pairs() {
        for seed in 0..16 {
            let random = &mut SeededRandom::new(seed);
            let ports = Ports::new();
            let mut take = |choice| ports.take(&(1001..=1006), choice, random);
            let mut evens = [take(PortChoice::Pair), take(PortChoice::Pair)];
            evens.sort();
            assert_eq!(evens, [Some(1002), Some(1004)]);
            assert_eq!(take(PortChoice::Pair), None, "1007 is outside");
            assert_eq!(take(PortChoice::Even), Some(1006));
            assert_eq!(take(PortChoice::Even), None);
            assert_eq!(take(PortChoice::Any), Some(1001));
            assert_eq!(ports.take(&(9..=8), PortChoice::Any, random), None);
        }
    }

    #[test]
    fn a_relay_is_there_from_open_to_the_end() {
        let table = RelayPorts::new();
        let ports = table.of(Transport::Udp, AddressFamily::Ipv4);
        let port = ports.take(&(7..=7), PortChoice::Any, &mut SeededRandom::new(3));
        assert_eq!((port, ports.has_relay(7)), (Some(7), false));
        ports.open(7);
        assert!(ports.has_relay(7) && !ports.has_relay(6) && !ports.has_relay(39));
        for (transport, family) in [
            (Transport::Tcp, AddressFamily::Ipv4),
            (Transport::Udp, AddressFamily::Ipv6),
        ] {
            assert!(!table.of(transport, family).has_relay(7));
        }
        ports.give_back(7);
        assert!(!ports.has_relay(7));
    }

    #[test]
    #[cfg(feature = "std")]
    fn threads_never_have_the_same_port() {
        use core::sync::atomic::AtomicBool;
        let ports = Ports::new();
        // one word, which all are after
        let range = 32..=63;
        let is_held: Vec<AtomicBool> = range.clone().map(|_| AtomicBool::new(false)).collect();
        let take_some = |seed| {
            let mut random = SeededRandom::new(seed);
            for _ in 0..20_000 {
                if let Some(port) = ports.take(&range, PortChoice::Any, &mut random) {
                    let is_held = &is_held[usize::from(port) - 32];
                    assert!(!is_held.swap(true, Ordering::SeqCst), "{port}");
                    is_held.store(false, Ordering::SeqCst);
                    ports.give_back(port);
                }
            }
        };
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let take_some = &take_some;
                scope.spawn(move || take_some(seed));
            }
        });
        let mut random = SeededRandom::new(4);
        let all = || ports.take(&range, PortChoice::Any, &mut random);
        assert_eq!(core::iter::from_fn(all).count(), 32, "none is lost");
    }
}
