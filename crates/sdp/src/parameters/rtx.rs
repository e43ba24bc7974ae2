//! Retransmission, and the restrictions of `a=rid`.
#![allow(
    unreachable_pub,
    reason = "the macro makes public types, and one is for this file only"
)]

use super::parameters;
use core::fmt;

/// Retransmission's parameters ([RFC 4588 §8.1](https://www.rfc-editor.org/rfc/rfc4588.html#section-8.1)).
///
/// ```
/// use rtckit_sdp::{attribute::Parameters, parameters::Rtx};
///
/// assert_eq!(Rtx::parse(Parameters("apt=96"))?.apt, 96);
/// assert!(Rtx::parse(Parameters("rtx-time=100")).is_err());
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rtx<'a> {
    /// The payload type whose packets are repeated.
    pub apt: u8,
    /// For how long a packet is kept, in milliseconds.
    pub rtx_time: Option<u32>,
    /// What the document does not know, in its order.
    pub other: alloc::vec::Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Rtx<'a> {
    /// Reads the text of an `a=fmtp`.
    ///
    /// # Errors
    /// There is no `apt`, or a value is not what the document has.
    pub fn parse(parameters: crate::attribute::Parameters<'a>) -> Result<Self, crate::ParseError> {
        let Optional {
            apt,
            rtx_time,
            other,
        } = Optional::parse(parameters)?;
        match apt {
            Some(apt) => Ok(Self {
                apt,
                rtx_time,
                other,
            }),
            None => Err(super::error(
                parameters,
                parameters.0,
                "apt= and a payload type",
            )),
        }
    }
}

impl fmt::Display for Rtx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            apt,
            rtx_time,
            other,
        } = self.clone();
        let apt = Some(apt);
        Optional {
            apt,
            rtx_time,
            other,
        }
        .fmt(f)
    }
}

parameters! {
    /// The same, without knowing that `apt` must be there.
    Optional<'a> {
        /// See [`Rtx`].
        apt: u8 = "apt", |apt| *apt < 128, "a payload type from 0 to 127";
        /// See [`Rtx`].
        rtx_time: u32 = "rtx-time", |_| true, "a number of milliseconds";
    }
}

parameters! {
    /// The restrictions of an `a=rid` ([RFC 8851 §5](https://www.rfc-editor.org/rfc/rfc8851.html#section-5)): see
    /// [`Rid::limits`](crate::attribute::Rid::limits). A name without a value, such as `max-width`, restricts nothing and is kept
    /// in `other` ([RFC 8851 §10](https://www.rfc-editor.org/rfc/rfc8851.html#section-10)).
    RidLimits<'a>, bare |key| key.starts_with("max-"); {
        /// The payload types, between commas: see [`Rid::payload_types`](crate::attribute::Rid::payload_types).
        pt: &'a str = "pt", is_payload_types, "payload types between commas";
        /// The greatest width in samples.
        max_width: u32 = "max-width", |_| true, "a number of samples";
        /// The greatest height in samples.
        max_height: u32 = "max-height", |_| true, "a number of samples";
        /// The most pictures per second.
        max_fps: u32 = "max-fps", |_| true, "a number of pictures per second";
        /// The largest picture in samples.
        max_fs: u32 = "max-fs", |_| true, "a number of samples";
        /// The most bits per second.
        max_br: u64 = "max-br", |_| true, "a number of bits per second";
        /// The most samples per second.
        max_pps: u64 = "max-pps", |_| true, "a number of samples per second";
        /// The most bits per sample, a decimal fraction.
        max_bpp: &'a str = "max-bpp", is_decimal, "a number of bits per sample such as 0.5";
        /// The encodings that are needed to decode this one, between commas.
        depend: &'a str = "depend", |_| true, "the ids of other a=rid between commas";
    }
}

impl<'a> RidLimits<'a> {
    /// The encodings that are needed to decode this one.
    pub fn depends_on(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.depend
            .unwrap_or_default()
            .split(',')
            .filter(|id| !id.is_empty())
    }
}

fn is_payload_types(list: &&str) -> bool {
    let numbers = list.split(',').map(|text| text.parse::<u8>());
    numbers
        .into_iter()
        .all(|number| number.is_ok_and(|number| number < 128))
}

fn is_decimal(text: &&str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(whole, fraction)| is_number(whole) && is_number(fraction))
}
