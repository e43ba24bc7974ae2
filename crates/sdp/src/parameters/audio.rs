//! Opus, redundant audio, and telephone events.

use super::parameters;
use crate::{attribute::Parameters, error::ParseError, grammar::is_blank};
use alloc::vec::Vec;
use core::fmt;

parameters! {
    /// Opus's parameters ([RFC 7587 §6.1](https://www.rfc-editor.org/rfc/rfc7587.html#section-6.1)): what the writer wants
    /// to receive, and with `sprop-` what it is likely to send. An answer is independent of its offer.
    Opus<'a> {
        /// The highest sampling rate the writer can play, in Hz.
        maxplaybackrate: u32 = "maxplaybackrate", |_| true, "a rate in Hz";
        /// The highest sampling rate the writer will capture, in Hz.
        sprop_maxcapturerate: u32 = "sprop-maxcapturerate", |_| true, "a rate in Hz";
        /// The highest average bit rate, 6000 to 510000 bits per second.
        maxaveragebitrate: u32 = "maxaveragebitrate", |_| true, "a number of bits per second";
        /// Whether stereo is wanted.
        stereo: bool = "stereo", |_| true, "0 or 1";
        /// Whether stereo will be sent.
        sprop_stereo: bool = "sprop-stereo", |_| true, "0 or 1";
        /// Whether a constant bit rate is wanted.
        cbr: bool = "cbr", |_| true, "0 or 1";
        /// Whether error correction in band is of use.
        useinbandfec: bool = "useinbandfec", |_| true, "0 or 1";
        /// Whether silence should not be sent.
        usedtx: bool = "usedtx", |_| true, "0 or 1";
        /// The shortest packet wanted, in milliseconds: from a draft, but written by all browsers.
        minptime: u32 = "minptime", |_| true, "a number of milliseconds";
        /// The wanted packet, in milliseconds.
        ptime: u32 = "ptime", |_| true, "a number of milliseconds";
        /// The longest packet wanted, in milliseconds.
        maxptime: u32 = "maxptime", |_| true, "a number of milliseconds";
    }
}

/// The parameters of redundant audio: the payload types of its blocks, the newest first
/// ([RFC 2198 §5](https://www.rfc-editor.org/rfc/rfc2198.html#section-5)).
///
/// ```
/// use rtckit_sdp::{attribute::Parameters, parameters::Red};
///
/// assert_eq!(Red::parse(Parameters("111/111"))?.0, [111, 111]);
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Red(pub Vec<u8>);

impl Red {
    /// Reads the text of an `a=fmtp`.
    ///
    /// # Errors
    /// It is not a list of payload types between slashes.
    pub fn parse(parameters: Parameters<'_>) -> Result<Self, ParseError> {
        let mut types = Vec::new();
        for text in parameters.0.split('/') {
            let number = text.trim_matches(is_blank).parse().ok();
            match number.filter(|number| *number < 128) {
                Some(number) => types.push(number),
                None => {
                    let expected = "payload types between slashes, such as 111/111";
                    return Err(super::error(parameters, text, expected));
                }
            }
        }
        Ok(Self(types))
    }
}

impl fmt::Display for Red {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, number) in self.0.iter().enumerate() {
            write!(f, "{}{number}", if i == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// The parameters of telephone events: which of them the writer understands
/// ([RFC 4733 §2.4.1](https://www.rfc-editor.org/rfc/rfc4733.html#section-2.4.1)).
///
/// ```
/// use rtckit_sdp::{attribute::Parameters, parameters::TelephoneEvent};
///
/// let events = TelephoneEvent::parse(Parameters("0-15,66,70"))?;
/// assert!(events.contains(11) && !events.contains(16));
/// assert_eq!(events.to_string(), "0-15,66,70");
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TelephoneEvent {
    /// The first and the last event of each range.
    pub events: Vec<(u8, u8)>,
}

impl Default for TelephoneEvent {
    /// The keys of a telephone: what holds if there is no `a=fmtp`
    /// ([RFC 4733 §2.4.1](https://www.rfc-editor.org/rfc/rfc4733.html#section-2.4.1)).
    fn default() -> Self {
        Self {
            events: alloc::vec![(0, 15)],
        }
    }
}

impl TelephoneEvent {
    /// Reads the text of an `a=fmtp`: `0-15`, or as the media type has it, `events=0-15`.
    ///
    /// # Errors
    /// It is not a list of events and ranges of them.
    pub fn parse(parameters: Parameters<'_>) -> Result<Self, ParseError> {
        const EXPECTED: &str = "events such as 0-15,66";
        let text = parameters.0.strip_prefix("events=").unwrap_or(parameters.0);
        let mut events = Vec::new();
        for part in text.split(',') {
            let trimmed = part.trim_matches(is_blank);
            let (first, last) = trimmed.split_once('-').unwrap_or((trimmed, trimmed));
            match (first.parse::<u8>(), last.parse::<u8>()) {
                (Ok(first), Ok(last)) if first <= last => events.push((first, last)),
                _ => return Err(super::error(parameters, part, EXPECTED)),
            }
        }
        Ok(Self { events })
    }

    /// Whether this event is among them.
    pub fn contains(&self, event: u8) -> bool {
        let mut events = self.events.iter();
        events.any(|(first, last)| (*first..=*last).contains(&event))
    }

    /// The events that both understand.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut events: Vec<(u8, u8)> = Vec::new();
        for event in (0..=u8::MAX).filter(|event| self.contains(*event) && other.contains(*event)) {
            match events.last_mut() {
                Some((_, last)) if *last + 1 == event => *last = event,
                _ => events.push((event, event)),
            }
        }
        Self { events }
    }
}

impl fmt::Display for TelephoneEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.events.iter().enumerate() {
            write!(f, "{}{first}", if i == 0 { "" } else { "," })?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}
