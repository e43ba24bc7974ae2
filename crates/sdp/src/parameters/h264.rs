//! H.264: [RFC 6184](https://www.rfc-editor.org/rfc/rfc6184.html).

use super::{Value, parameters};
use core::{cmp::Ordering, fmt};

parameters! {
    /// H.264's parameters ([RFC 6184 §8.1](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.1)).
    H264<'a> {
        /// The profile and the highest level.
        profile_level_id: ProfileLevelId = "profile-level-id", |_| true, "six hexadecimal digits";
        /// How NAL units are put into packets: 0 one by one, 1 in their order, 2 in any order.
        packetization_mode: u8 = "packetization-mode", |mode| *mode <= 2, "a mode from 0 to 2";
        /// Whether either side may send at a level of its own.
        level_asymmetry_allowed: bool = "level-asymmetry-allowed", |_| true, "0 or 1";
        /// The highest level that can be received, if it is above that of the profile: the last four digits.
        max_recv_level: &'a str = "max-recv-level", |text| text.len() == 4, "four hexadecimal digits";
        /// The most macroblocks per second.
        max_mbps: u32 = "max-mbps", |_| true, "a number of macroblocks per second";
        /// The most static macroblocks per second.
        max_smbps: u32 = "max-smbps", |_| true, "a number of macroblocks per second";
        /// The largest picture, in macroblocks.
        max_fs: u32 = "max-fs", |_| true, "a number of macroblocks";
        /// The size of the coded picture buffer.
        max_cpb: u32 = "max-cpb", |_| true, "a number";
        /// The size of the decoded picture buffer.
        max_dpb: u32 = "max-dpb", |_| true, "a number";
        /// The highest bit rate.
        max_br: u32 = "max-br", |_| true, "a number";
        /// The depth of the interleaving.
        sprop_interleaving_depth: u32 = "sprop-interleaving-depth", |depth| *depth <= 32_767, "a number from 0 to 32767";
        /// Sequence and picture parameter sets, in base64 between commas.
        sprop_parameter_sets: &'a str = "sprop-parameter-sets", |_| true, "parameter sets in base64";
    }
}

impl H264<'_> {
    /// The profile and level that hold: Baseline at level 1 if they are not given.
    pub fn profile_level_id_or_default(&self) -> ProfileLevelId {
        self.profile_level_id.unwrap_or_default()
    }

    /// The profile that holds.
    pub fn profile(&self) -> H264Profile {
        self.profile_level_id_or_default().profile()
    }

    /// The level that holds.
    pub fn level(&self) -> H264Level {
        self.profile_level_id_or_default().level()
    }

    /// The packetization mode that holds: 0 if it is not given.
    pub fn packetization(&self) -> u8 {
        self.packetization_mode.unwrap_or(0)
    }

    /// Whether the sides may send at different levels.
    pub fn allows_level_asymmetry(&self) -> bool {
        self.level_asymmetry_allowed == Some(true)
    }
}

/// Three bytes of a sequence parameter set: `42e01f`.
///
/// ```text
/// 42 e0 1f
/// │  │  └ level_idc: ten times the level
/// │  └ constraint_set0_flag to constraint_set5_flag, and two reserved bits
/// └ profile_idc
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProfileLevelId {
    /// `profile_idc`.
    pub profile_idc: u8,
    /// The constraint flags, the first in the highest bit: `profile-iop`.
    pub constraints: u8,
    /// `level_idc`.
    pub level_idc: u8,
}

impl Default for ProfileLevelId {
    /// Baseline at level 1: what holds if it is not given
    /// ([RFC 6184 §8.1](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.1)).
    fn default() -> Self {
        Self {
            profile_idc: 0x42,
            constraints: 0,
            level_idc: 10,
        }
    }
}

impl ProfileLevelId {
    /// Reads six hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (profile_idc, rest) = crate::attribute::hex_byte(text)?;
        let (constraints, rest) = crate::attribute::hex_byte(rest)?;
        let (level_idc, rest) = crate::attribute::hex_byte(rest)?;
        rest.is_empty().then_some(Self {
            profile_idc,
            constraints,
            level_idc,
        })
    }

    /// The profile, which several pairs of bytes may mean
    /// ([RFC 6184 §8.1, table 5](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.1)).
    pub const fn profile(self) -> H264Profile {
        /// `profile_idc`, which constraint flags count, their value, and the profile.
        const TABLE: &[(u8, u8, u8, H264Profile)] = &[
            (
                0x42,
                0b0100_1111,
                0b0100_0000,
                H264Profile::ConstrainedBaseline,
            ),
            (
                0x4D,
                0b1000_1111,
                0b1000_0000,
                H264Profile::ConstrainedBaseline,
            ),
            (
                0x58,
                0b1100_1111,
                0b1100_0000,
                H264Profile::ConstrainedBaseline,
            ),
            (0x42, 0b0100_1111, 0b0000_0000, H264Profile::Baseline),
            (0x58, 0b1100_1111, 0b1000_0000, H264Profile::Baseline),
            (0x4D, 0b1010_1111, 0b0000_0000, H264Profile::Main),
            (0x58, 0b1100_1111, 0b0000_0000, H264Profile::Extended),
            (0x64, 0b1111_1111, 0b0000_0000, H264Profile::High),
            (0x64, 0b1111_1111, 0b0000_1100, H264Profile::ConstrainedHigh),
            (0x6E, 0b1111_1111, 0b0000_0000, H264Profile::High10),
            (0x7A, 0b1111_1111, 0b0000_0000, H264Profile::High422),
            (
                0xF4,
                0b1111_1111,
                0b0000_0000,
                H264Profile::High444Predictive,
            ),
            (0x6E, 0b1111_1111, 0b0001_0000, H264Profile::High10Intra),
            (0x7A, 0b1111_1111, 0b0001_0000, H264Profile::High422Intra),
            (0xF4, 0b1111_1111, 0b0001_0000, H264Profile::High444Intra),
            (0x2C, 0b1111_1111, 0b0001_0000, H264Profile::Cavlc444Intra),
        ];
        let mut rest = TABLE;
        while let [(idc, mask, value, profile), after @ ..] = rest {
            if self.profile_idc == *idc && self.constraints & *mask == *value {
                return *profile;
            }
            rest = after;
        }
        H264Profile::Other(self.profile_idc, self.constraints)
    }

    /// The level.
    pub const fn level(self) -> H264Level {
        let marked =
            self.constraints & 0b0001_0000 != 0 && matches!(self.profile_idc, 0x42 | 0x4D | 0x58);
        match self.level_idc {
            11 if marked => H264Level::ONE_B,
            9 => H264Level::ONE_B,
            idc => H264Level { idc, b: false },
        }
    }

    /// The same profile at another level.
    #[must_use]
    pub const fn with_level(self, level: H264Level) -> Self {
        let marks = matches!(self.profile_idc, 0x42 | 0x4D | 0x58);
        let mark = 0b0001_0000;
        let (constraints, level_idc) = match (level.b, marks) {
            (true, true) => (self.constraints | mark, 11),
            (true, false) => (self.constraints, 9),
            (false, true) => (self.constraints & !mark, level.idc),
            (false, false) => (self.constraints, level.idc),
        };
        Self {
            profile_idc: self.profile_idc,
            constraints,
            level_idc,
        }
    }
}

impl fmt::Display for ProfileLevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            profile_idc,
            constraints,
            level_idc,
        } = self;
        write!(f, "{profile_idc:02x}{constraints:02x}{level_idc:02x}")
    }
}

impl fmt::Debug for ProfileLevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value<'_> for ProfileLevelId {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A profile of H.264.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of H.264")]
pub enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    High,
    ConstrainedHigh,
    High10,
    High422,
    High444Predictive,
    High10Intra,
    High422Intra,
    High444Intra,
    Cavlc444Intra,
    /// One that RFC 6184 does not list: `profile_idc` and constraint flags.
    Other(u8, u8),
}

/// A level of H.264; higher ones can do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct H264Level {
    /// Ten times the level.
    idc: u8,
    /// Whether it is 1b, between 1 and 1.1.
    b: bool,
}

impl H264Level {
    /// Level 1b, between 1 and 1.1.
    pub const ONE_B: Self = Self { idc: 10, b: true };

    /// The level of ten times this number: 31 is level 3.1.
    pub const fn new(idc: u8) -> Self {
        Self { idc, b: false }
    }
}

impl Ord for H264Level {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.idc, self.b).cmp(&(other.idc, other.b))
    }
}

impl PartialOrd for H264Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for H264Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenth) = (self.idc / 10, self.idc % 10);
        match (self.b, tenth) {
            (true, _) => f.write_str("1b"),
            (false, 0) => write!(f, "{whole}"),
            (false, _) => write!(f, "{whole}.{tenth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn id(text: &str) -> ProfileLevelId {
        ProfileLevelId::parse(text).expect("six digits")
    }

    #[test]
    fn several_ids_mean_one_profile() {
        for text in ["42e01f", "42c01f", "4d801f", "58c01f", "42F01f"] {
            assert_eq!(
                id(text).profile(),
                H264Profile::ConstrainedBaseline,
                "{text}"
            );
        }
        assert_eq!(id("42001f").profile(), H264Profile::Baseline);
        assert_eq!(id("4d001f").profile(), H264Profile::Main);
        assert_eq!(id("640c34").profile(), H264Profile::ConstrainedHigh);
        assert_eq!(id("640034").profile(), H264Profile::High);
        assert_eq!(id("f4001f").profile(), H264Profile::High444Predictive);
        assert_eq!(id("010203").profile(), H264Profile::Other(1, 2));
        assert_eq!(ProfileLevelId::parse("42e01"), None);
        assert_eq!(ProfileLevelId::parse("42e01fa"), None);
    }

    #[test]
    fn one_b_is_between_one_and_one_point_one() {
        let one_b = id("42f00b").level();
        assert_eq!(one_b, H264Level::ONE_B);
        assert!(H264Level::new(10) < one_b && one_b < H264Level::new(11));
        assert_eq!(id("640009").level(), one_b);
        assert_eq!(id("42e01f").with_level(one_b).to_string(), "42f00b");
        assert_eq!(id("64001f").with_level(one_b).to_string(), "640009");
        assert_eq!(
            id("42f00b").with_level(H264Level::new(31)).to_string(),
            "42e01f"
        );
        assert_eq!(
            [one_b, H264Level::new(40)].map(|level| level.to_string()),
            ["1b", "4"]
        );
    }
}
