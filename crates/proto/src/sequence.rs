//! Serial numbers that wrap ([RFC 1982](https://www.rfc-editor.org/rfc/rfc1982)), and the wider ones behind them.

/// Whether `a` comes after `b` on a 16-bit circle: within the half in front of it.
pub const fn is_newer_u16(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

/// Whether `a` comes after `b` on a 32-bit circle: within the half in front of it.
pub const fn is_newer_u32(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000_0000
}

/// A counter of fewer than 64 bits that wraps: `u16` or `u32`.
pub trait Counter: Copy + Into<u64> + sealed::Sealed {
    /// How many values it has.
    const MODULUS: u64;
}

impl Counter for u16 {
    const MODULUS: u64 = 1 << 16;
}

impl Counter for u32 {
    const MODULUS: u64 = 1 << 32;
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "sealing: nobody else may implement Counter"
    )]
    pub trait Sealed {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
}

/// Turns a counter that wraps into a 64-bit one that does not.
///
/// Each value is placed nearest to the highest seen so far, so reordering across a wrap is understood as long
/// as it stays within half of the circle. Values before the first one saturate at 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unroller<C> {
    highest: Option<u64>,
    counter: core::marker::PhantomData<C>,
}

impl<C: Counter> Unroller<C> {
    /// An unroller that has seen values up to `highest` already.
    pub const fn continuing_from(highest: u64) -> Self {
        Self {
            highest: Some(highest),
            counter: core::marker::PhantomData,
        }
    }

    /// The 64-bit value of `value`, remembering it if it is the highest yet.
    pub fn unroll(&mut self, value: C) -> u64 {
        let unrolled = self.peek(value);
        self.highest = Some(
            self.highest
                .map_or(unrolled, |highest| highest.max(unrolled)),
        );
        unrolled
    }

    /// The 64-bit value of `value`, remembering nothing.
    pub fn peek(&self, value: C) -> u64 {
        let value: u64 = value.into();
        let Some(highest) = self.highest else {
            return value;
        };
        let ahead = value.wrapping_sub(highest) & (C::MODULUS - 1);
        if ahead < C::MODULUS / 2 {
            highest.saturating_add(ahead)
        } else {
            highest.saturating_sub(C::MODULUS - ahead)
        }
    }

    /// The highest value so far.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn newer_on_the_circle() {
        assert!(is_newer_u16(0, 65_535) && !is_newer_u16(65_535, 0) && !is_newer_u16(5, 5));
        assert!(is_newer_u32(3, u32::MAX) && !is_newer_u32(u32::MAX, 3));
    }

    #[test]
    fn reordering_across_the_wrap() {
        let mut unroller = Unroller::<u16>::default();
        let seen = [65_534, 65_535, 1, 0, 2, 65_533].map(|value| unroller.unroll(value));
        assert_eq!(seen, [65_534, 65_535, 65_537, 65_536, 65_538, 65_533]);
        assert_eq!(unroller.highest(), Some(65_538));
    }

    #[test]
    fn continuing_in_the_middle() {
        let mut unroller = Unroller::<u16>::continuing_from(0x7_ffff);
        assert_eq!(unroller.unroll(0), 0x8_0000);
        assert_eq!(unroller.peek(0xfffe), 0x7_fffe);
        assert_eq!(unroller.highest(), Some(0x8_0000));
    }

    proptest! {
        #[test]
        fn steps_below_half_the_circle_are_followed(start: u16, steps in prop::collection::vec(-30_000i64..30_000, 1..200)) {
            let mut unroller = Unroller::<u16>::default();
            let mut truth = i64::from(start) + (1 << 20);
            let offset = unroller.unroll(truth as u16) as i64 - truth;
            let mut highest = truth;
            for step in steps {
                truth = (highest + step).max(1 << 17);
                if (truth - highest).abs() < 0x8000 && truth + offset >= 0 {
                    prop_assert_eq!(unroller.unroll(truth as u16) as i64, truth + offset);
                    highest = highest.max(truth);
                }
            }
        }
    }
}
