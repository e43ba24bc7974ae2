//! H.265, VP8, VP9, AV1.

use super::{Value, parameters};
use core::fmt;

parameters! {
    /// VP8's parameters ([RFC 7741 §6.1](https://www.rfc-editor.org/rfc/rfc7741.html#section-6.1)): what the writer can
    /// decode.
    Vp8<'a> {
        /// The most pictures per second.
        max_fr: u32 = "max-fr", |_| true, "a number of pictures per second";
        /// The largest picture, in macroblocks of 16 by 16 samples.
        max_fs: u32 = "max-fs", |_| true, "a number of macroblocks";
    }
}

parameters! {
    /// VP9's parameters ([RFC 9628 §6](https://www.rfc-editor.org/rfc/rfc9628.html#section-6)).
    Vp9<'a> {
        /// The profile, 0 to 3.
        profile_id: u8 = "profile-id", |id| *id <= 3, "a profile from 0 to 3";
        /// The most pictures per second the writer can decode.
        max_fr: u32 = "max-fr", |_| true, "a number of pictures per second";
        /// The largest picture the writer can decode, in macroblocks of 16 by 16 samples.
        max_fs: u32 = "max-fs", |_| true, "a number of macroblocks";
    }
}

impl Vp9<'_> {
    /// The profile; 0 if it is not given.
    pub fn profile(&self) -> u8 {
        self.profile_id.unwrap_or(0)
    }
}

parameters! {
    /// AV1's parameters (AV1 RTP payload format, §7.2).
    Av1<'a> {
        /// The profile: 0 Main, 1 High, 2 Professional.
        profile: u8 = "profile", |profile| *profile <= 2, "a profile from 0 to 2";
        /// The index of the highest level, 0 for 2.0 to 31.
        level_idx: u8 = "level-idx", |level| *level <= 31, "a level from 0 to 31";
        /// The tier: 0 Main, 1 High.
        tier: u8 = "tier", |tier| *tier <= 1, "a tier, 0 or 1";
    }
}

impl Av1<'_> {
    /// The profile; Main if it is not given.
    pub fn profile_or_default(&self) -> u8 {
        self.profile.unwrap_or(0)
    }

    /// The index of the level; 5, which is 3.1, if it is not given.
    pub fn level_idx_or_default(&self) -> u8 {
        self.level_idx.unwrap_or(5)
    }

    /// The tier; Main if it is not given.
    pub fn tier_or_default(&self) -> u8 {
        self.tier.unwrap_or(0)
    }
}

parameters! {
    /// H.265's parameters ([RFC 7798 §7.1](https://www.rfc-editor.org/rfc/rfc7798.html#section-7.1)).
    H265<'a> {
        /// The space of the profile, 0 to 3.
        profile_space: u8 = "profile-space", |space| *space <= 3, "a profile space from 0 to 3";
        /// The profile, 0 to 31.
        profile_id: u8 = "profile-id", |id| *id <= 31, "a profile from 0 to 31";
        /// The tier: false Main, true High.
        tier_flag: bool = "tier-flag", |_| true, "0 or 1";
        /// The level times 30: 93 is 3.1.
        level_id: u8 = "level-id", |_| true, "a level from 0 to 255";
        /// Which constraints the stream keeps.
        interop_constraints: InteropConstraints = "interop-constraints", |_| true, "12 hexadecimal digits";
        /// How streams are carried: `SRST`, `MRST` or `MRMT`.
        tx_mode: &'a str = "tx-mode", |mode| matches!(*mode, "SRST" | "MRST" | "MRMT"), "SRST, MRST or MRMT";
        /// How many NAL units may be out of order.
        sprop_max_don_diff: u32 = "sprop-max-don-diff", |diff| *diff <= 32_767, "a number from 0 to 32767";
        /// Video parameter sets, in base64 between commas.
        sprop_vps: &'a str = "sprop-vps", |_| true, "parameter sets in base64";
        /// Sequence parameter sets, likewise.
        sprop_sps: &'a str = "sprop-sps", |_| true, "parameter sets in base64";
        /// Picture parameter sets, likewise.
        sprop_pps: &'a str = "sprop-pps", |_| true, "parameter sets in base64";
    }
}

impl H265<'_> {
    /// Profile space, profile, tier and constraints: what both sides must have alike
    /// ([RFC 7798 §7.2.2](https://www.rfc-editor.org/rfc/rfc7798.html#section-7.2.2)), with what holds if they are not given.
    pub fn configuration(&self) -> (u8, u8, bool, InteropConstraints) {
        (
            self.profile_space.unwrap_or(0),
            self.profile_id.unwrap_or(1),
            self.tier_flag.unwrap_or(false),
            self.interop_constraints.unwrap_or_default(),
        )
    }

    /// The level times 30; 93, which is 3.1, if it is not given.
    pub fn level(&self) -> u8 {
        self.level_id.unwrap_or(93)
    }

    /// How streams are carried; `SRST` if it is not given.
    pub fn transmission_mode(&self) -> &str {
        self.tx_mode.unwrap_or("SRST")
    }
}

/// The constraints an H.265 stream keeps, 48 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InteropConstraints(pub u64);

impl Default for InteropConstraints {
    /// Progressive frames only: what holds if it is not given.
    fn default() -> Self {
        Self(0xB000_0000_0000)
    }
}

impl Value<'_> for InteropConstraints {
    fn read(text: &str) -> Option<Self> {
        let hex = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| hex).map(Self)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012X}", self.0 & 0xFFFF_FFFF_FFFF)
    }
}
