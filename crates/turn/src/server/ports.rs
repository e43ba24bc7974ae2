//! Which ports of a relay address are taken.

use alloc::boxed::Box;
use alloc::vec;
use core::ops::RangeInclusive;

use rtckit_proto::Random;

/// The ports of one address and transport, a bit each.
pub(crate) struct Ports {
    taken: Box<[u64]>,
    first: u16,
    count: u32,
    free: u32,
}

impl Ports {
    pub(crate) fn new(range: &RangeInclusive<u16>) -> Self {
        let first = (*range.start()).max(1);
        let count = (u32::from(*range.end()) + 1).saturating_sub(first.into());
        Self {
            taken: vec![0; count.div_ceil(64) as usize].into(),
            first,
            count,
            free: count,
        }
    }

    fn is_free(&self, port: u32) -> bool {
        let offset = port.wrapping_sub(self.first.into());
        let word = self.taken.get((offset / 64) as usize);
        offset < self.count && word.is_some_and(|word| word >> (offset % 64) & 1 == 0)
    }

    fn take_port(&mut self, port: u32) {
        let offset = port - u32::from(self.first);
        if let Some(word) = self.taken.get_mut((offset / 64) as usize) {
            *word |= 1 << (offset % 64);
            self.free -= 1;
        }
    }

    /// Takes a free port, from a random one on: nobody is to guess the next
    /// ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)).
    pub(crate) fn take(&mut self, random: &mut impl Random) -> Option<u16> {
        self.take_where(random, |_, _| true)
    }

    /// Takes a free even port.
    pub(crate) fn take_even(&mut self, random: &mut impl Random) -> Option<u16> {
        self.take_where(random, |_, port| port % 2 == 0)
    }

    /// Takes a free even port and the one after it; returns the even one.
    pub(crate) fn take_pair(&mut self, random: &mut impl Random) -> Option<u16> {
        let even = self.take_where(random, |ports, port| {
            port % 2 == 0 && ports.is_free(port + 1)
        })?;
        self.take_port(u32::from(even) + 1);
        Some(even)
    }

    fn take_where(
        &mut self,
        random: &mut impl Random,
        fits: impl Fn(&Self, u32) -> bool,
    ) -> Option<u16> {
        if self.free == 0 {
            return None;
        }
        let start = random.below(self.count.into()) as u32;
        let port = (start..self.count)
            .chain(0..start)
            .map(|offset| u32::from(self.first) + offset)
            .find(|&port| self.is_free(port) && fits(self, port))?;
        self.take_port(port);
        Some(port as u16)
    }

    pub(crate) fn give_back(&mut self, port: u16) {
        let offset = u32::from(port).wrapping_sub(self.first.into());
        if offset < self.count
            && !self.is_free(port.into())
            && let Some(word) = self.taken.get_mut((offset / 64) as usize)
        {
            *word &= !(1 << (offset % 64));
            self.free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use rtckit_proto::SeededRandom;

    #[test]
    fn each_port_once() {
        let mut random = SeededRandom::new(3);
        for range in [1000..=1099, 65_500..=65_535, 0..=10, 7..=7] {
            let mut ports = Ports::new(&range);
            let taken: BTreeSet<u16> = core::iter::from_fn(|| ports.take(&mut random)).collect();
            let expected: BTreeSet<u16> = range.filter(|&port| port > 0).collect();
            assert_eq!(taken, expected);
            for &port in &taken {
                ports.give_back(port);
                ports.give_back(port);
            }
            assert_eq!(ports.free, taken.len() as u32);
        }
    }

    #[test]
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range of nothing has to do no harm"
    )]
    fn pairs() {
        let mut random = SeededRandom::new(3);
        let mut ports = Ports::new(&(1001..=1006));
        let mut evens = [ports.take_pair(&mut random), ports.take_pair(&mut random)];
        evens.sort();
        assert_eq!(evens, [Some(1002), Some(1004)]);
        assert_eq!(ports.take_pair(&mut random), None, "1007 is outside");
        assert_eq!(ports.take_even(&mut random), Some(1006));
        assert_eq!(ports.take_even(&mut random), None);
        assert_eq!(ports.take(&mut random), Some(1001));
        assert_eq!(Ports::new(&(9..=8)).take(&mut random), None);
    }
}
