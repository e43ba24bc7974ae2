//! A codec, put together from the attributes that speak of its payload type.

use crate::{
    attribute::{Attribute, Feedback, Fmtp, Parameters, RtcpFb, RtpMap},
    error::ParseError,
    media::Media,
    parameters::CodecParameters,
};
use alloc::vec::Vec;

/// What a media section says about one payload type. See [`Media::codecs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec<'a> {
    /// Its number, name, clock and channels.
    pub rtpmap: RtpMap<'a>,
    /// Its parameters; more than one if there are several `a=fmtp` lines.
    pub fmtp: Vec<Parameters<'a>>,
    /// The feedback messages that may be sent about it, those for all payload types included; at most
    /// [`MAX_FEEDBACK`](Self::MAX_FEEDBACK).
    pub feedback: Vec<Feedback<'a>>,
}

impl<'a> Codec<'a> {
    /// How many feedback messages are read; later ones are passed over. Without it, a text of many
    /// `a=rtcp-fb:*` lines would grow 128-fold. Browsers send five.
    pub const MAX_FEEDBACK: usize = 64;

    /// The payload type.
    pub const fn payload_type(&self) -> u8 {
        self.rtpmap.payload_type
    }

    /// Whether the codec has this name, whatever the case.
    pub fn is(&self, encoding: &str) -> bool {
        self.rtpmap.encoding.eq_ignore_ascii_case(encoding)
    }

    /// The parameter of this name.
    pub fn parameter(&self, key: &str) -> Option<&'a str> {
        self.fmtp.iter().find_map(|fmtp| fmtp.value(key))
    }

    /// Its parameters by the codec's own document; none if there is no `a=fmtp`.
    ///
    /// # Errors
    /// One of them has another form. Columns count from the first.
    pub fn parameters(&self) -> Result<CodecParameters<'a>, ParseError> {
        match self.fmtp.first() {
            Some(parameters) => CodecParameters::parse(self.rtpmap.encoding, *parameters),
            None => Ok(CodecParameters::none(self.rtpmap.encoding)),
        }
    }

    /// Its parameters without those that cannot be read and need not be alike on both sides: one of them is no reason to do
    /// without the codec.
    pub(crate) fn configuration(&self) -> Result<CodecParameters<'a>, ParseError> {
        let encoding = self.rtpmap.encoding;
        match (self.parameters(), self.fmtp.first()) {
            (Err(_), Some(parameters)) => CodecParameters::lenient(encoding, *parameters),
            (read, _) => read,
        }
    }

    /// For `rtx`, the payload type whose packets it repeats
    /// ([RFC 4588 §8.6](https://www.rfc-editor.org/rfc/rfc4588.html#section-8.6)).
    pub fn associated_payload_type(&self) -> Option<u8> {
        let number = self.parameter("apt")?.parse().ok()?;
        (self.is("rtx") && number < 128).then_some(number)
    }

    /// Whether this feedback message may be sent.
    pub fn has_feedback(&self, feedback: Feedback<'_>) -> bool {
        self.feedback.contains(&feedback)
    }

    fn add_feedback(&mut self, feedback: Feedback<'a>) {
        if self.feedback.len() < Self::MAX_FEEDBACK {
            self.feedback.push(feedback);
        }
    }
}

/// Joins the attributes in one pass over the lines: whatever the text, the work is linear.
pub(crate) fn join<'s>(media: &'s Media<'_>) -> Vec<Codec<'s>> {
    let mut codecs = Codecs::of(media.payload_types());
    for attribute in media.attributes() {
        match attribute.name {
            RtpMap::NAME => {
                if let Some(Ok(rtpmap)) = attribute.parse() {
                    codecs.name(rtpmap);
                }
            }
            Fmtp::NAME => {
                let fmtp = attribute.parse::<Fmtp<'_>>().and_then(Result::ok);
                if let Some(fmtp) = fmtp
                    && let Some(codec) = fmtp.payload_type().and_then(|pt| codecs.of_type(pt))
                {
                    codec.fmtp.push(fmtp.parameters);
                }
            }
            RtcpFb::NAME => {
                if let Some(Ok(rtcp_fb)) = attribute.parse() {
                    codecs.add_feedback(rtcp_fb);
                }
            }
            _ => {}
        }
    }
    codecs
        .list
        .retain(|codec| !codec.rtpmap.encoding.is_empty());
    codecs.list
}

/// The codecs so far, and where in the list each payload type is.
struct Codecs<'s> {
    list: Vec<Codec<'s>>,
    places: [Option<u8>; 128],
    named: [bool; 128],
}

impl<'s> Codecs<'s> {
    /// One for each payload type that appears in the `m=` line, those of RFC 3551 already with a name.
    fn of(payload_types: impl Iterator<Item = u8>) -> Self {
        let mut codecs = Self {
            list: Vec::with_capacity(32),
            places: [None; 128],
            named: [false; 128],
        };
        for payload_type in payload_types {
            let Some(place @ None) = codecs.places.get_mut(usize::from(payload_type)) else {
                continue;
            };
            // At most 128 are ever added.
            *place = Some(codecs.list.len() as u8);
            let unnamed = RtpMap {
                payload_type,
                encoding: "",
                clock_rate: 0,
                channels: None,
            };
            codecs.list.push(Codec {
                rtpmap: RtpMap::static_type(payload_type).unwrap_or(unnamed),
                fmtp: Vec::new(),
                feedback: Vec::new(),
            });
        }
        codecs
    }

    fn of_type(&mut self, payload_type: u8) -> Option<&mut Codec<'s>> {
        let place = self.places.get(usize::from(payload_type)).copied()??;
        self.list.get_mut(usize::from(place))
    }

    /// The first `a=rtpmap` of a payload type counts.
    fn name(&mut self, rtpmap: RtpMap<'s>) {
        if let Some(named @ false) = self.named.get_mut(usize::from(rtpmap.payload_type)) {
            *named = true;
            if let Some(codec) = self.of_type(rtpmap.payload_type) {
                codec.rtpmap = rtpmap;
            }
        }
    }

    fn add_feedback(&mut self, rtcp_fb: RtcpFb<'s>) {
        match rtcp_fb.payload_type {
            Some(payload_type) => {
                if let Some(codec) = self.of_type(payload_type) {
                    codec.add_feedback(rtcp_fb.feedback);
                }
            }
            None => {
                for codec in &mut self.list {
                    codec.add_feedback(rtcp_fb.feedback);
                }
            }
        }
    }
}
