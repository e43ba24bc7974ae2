//! How much time a packet or a picture takes:
//! [RFC 8866 §6.4](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.4) and following.

use super::word;
use crate::{error::ParseError, grammar::chars};

macro_rules! milliseconds {
    ($(#[$doc:meta])* $type:ident, $name:literal) => {
        word! {
            $(#[$doc])* $type, $name, "a number of milliseconds",
            |value| int_or_real($name, value, "a number of milliseconds such as 20 or 0.125")
        }

        impl $type<'_> {
            /// The whole milliseconds; `None` if the value is not a number. A fraction is cut off.
            pub fn milliseconds(&self) -> Option<u32> {
                self.0.split('.').next()?.parse().ok()
            }

            /// The microseconds: `0.125` is 125, a packet of AES67. `None` if the value is not a number.
            pub fn microseconds(&self) -> Option<u64> {
                let (whole, fraction) = self.0.split_once('.').unwrap_or((self.0, ""));
                let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(3);
                let mut micros = whole.parse::<u64>().ok()?;
                for digit in digits {
                    let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
                    micros = micros.checked_mul(10)?.checked_add(digit.into())?;
                }
                Some(micros)
            }
        }
    };
}

milliseconds! {
    /// `a=ptime`: the media in a packet, in milliseconds
    /// ([RFC 8866 §6.4](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.4)).
    PTime, "ptime"
}

milliseconds! {
    /// `a=maxptime`: the most media in a packet, in milliseconds
    /// ([RFC 8866 §6.5](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.5)).
    MaxPTime, "maxptime"
}

word! {
    /// `a=framerate`: pictures per second, a decimal number
    /// ([RFC 8866 §6.13](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.13)).
    FrameRate, "framerate", "a number of pictures per second",
    |value| int_or_real("framerate", value, "a number of pictures per second such as 29.97")
}

/// `non-zero-int-or-real`: a number that neither begins nor ends in a useless zero.
fn int_or_real(field: &'static str, value: &str, expected: &'static str) -> Result<(), ParseError> {
    let (whole, fraction) = match value.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (value, None),
    };
    let is_digit = |c: char| c.is_ascii_digit();
    chars(field, whole, 1..=usize::MAX, is_digit, expected)?;
    if whole == "0" && fraction.is_none() {
        return Err(ParseError::new(field, 0, "a number above 0"));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(ParseError::new(field, 0, "no useless 0 at the beginning"));
    }
    let Some(fraction) = fraction else {
        return Ok(());
    };
    let at = whole.len() + 1;
    chars(field, fraction, 1..=usize::MAX, is_digit, expected).map_err(|error| error.at(0, at))?;
    match fraction.ends_with('0') {
        true => {
            let at = value.trim_end_matches('0').len();
            let expected = "no useless 0 at the end: 25.0 is written 25, 12.50 is written 12.5";
            Err(ParseError::new(field, at, expected))
        }
        false => Ok(()),
    }
}

impl FrameRate<'_> {
    /// The value as a number; `None` if it is none.
    pub fn pictures_per_second(&self) -> Option<f64> {
        self.0.parse().ok().filter(|rate: &f64| rate.is_finite())
    }
}
