//! How much time a packet or a picture takes:
//! [RFC 8866 §6.4](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.4) and following.

use super::word;

macro_rules! milliseconds {
    ($(#[$doc:meta])* $type:ident, $name:literal) => {
        word! { $(#[$doc])* $type, $name, "a number of milliseconds" }

        impl $type<'_> {
            /// The whole milliseconds; `None` if the value is not a number. A fraction, which the RFC does
            /// not know but some write, is cut off.
            pub fn milliseconds(&self) -> Option<u32> {
                self.0.split('.').next()?.parse().ok()
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
    FrameRate, "framerate", "a number of pictures per second"
}

impl FrameRate<'_> {
    /// The value as a number; `None` if it is none.
    pub fn pictures_per_second(&self) -> Option<f64> {
        self.0.parse().ok().filter(|rate: &f64| rate.is_finite())
    }
}
