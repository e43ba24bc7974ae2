//! A codec, put together from the attributes that speak of its payload type.

use crate::{
    attribute::{Attribute, Feedback, Fmtp, Parameters, RtcpFb, RtpMap},
    media::Media,
};
use alloc::vec::Vec;

/// What a media section says about one payload type. See [`Media::codecs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec<'a> {
    /// Its number, name, clock and channels.
    pub rtpmap: RtpMap<'a>,
    /// Its parameters; more than one if there are several `a=fmtp` lines.
    pub fmtp: Vec<Parameters<'a>>,
    /// The feedback messages that may be sent about it, those for all payload types included.
    pub feedback: Vec<Feedback<'a>>,
}

impl<'a> Codec<'a> {
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
}

/// Joins the attributes in one pass over the lines: whatever the text, the work is linear.
pub(crate) fn join<'s>(media: &'s Media<'_>) -> Vec<Codec<'s>> {
    let mut places = [None; 128];
    let mut codecs: Vec<Codec<'s>> = Vec::new();
    let mut named = [false; 128];
    for payload_type in media.payload_types() {
        let Some(place @ None) = places.get_mut(usize::from(payload_type)) else {
            continue;
        };
        *place = Some(codecs.len());
        codecs.push(Codec {
            rtpmap: RtpMap::static_type(payload_type).unwrap_or(RtpMap {
                payload_type,
                encoding: "",
                clock_rate: 0,
                channels: None,
            }),
            fmtp: Vec::new(),
            feedback: Vec::new(),
        });
    }
    for attribute in media.attributes() {
        match attribute.name {
            RtpMap::NAME => {
                let Some(Ok(rtpmap)) = attribute.parse::<RtpMap<'_>>() else {
                    continue;
                };
                let number = usize::from(rtpmap.payload_type);
                if let Some(codec) = place(&mut codecs, &places, number)
                    && let Some(named @ false) = named.get_mut(number)
                {
                    codec.rtpmap = rtpmap;
                    *named = true;
                }
            }
            Fmtp::NAME => {
                if let Some(Ok(fmtp)) = attribute.parse::<Fmtp<'_>>()
                    && let Some(number) = fmtp.payload_type()
                    && let Some(codec) = place(&mut codecs, &places, number.into())
                {
                    codec.fmtp.push(fmtp.parameters);
                }
            }
            RtcpFb::NAME => match attribute.parse::<RtcpFb<'_>>() {
                Some(Ok(RtcpFb {
                    payload_type: Some(number),
                    feedback,
                })) => {
                    if let Some(codec) = place(&mut codecs, &places, number.into()) {
                        codec.feedback.push(feedback);
                    }
                }
                Some(Ok(RtcpFb {
                    payload_type: None,
                    feedback,
                })) => codecs
                    .iter_mut()
                    .for_each(|codec| codec.feedback.push(feedback)),
                _ => {}
            },
            _ => {}
        }
    }
    codecs.retain(|codec| !codec.rtpmap.encoding.is_empty());
    codecs
}

fn place<'c, 's>(
    codecs: &'c mut [Codec<'s>],
    places: &[Option<usize>; 128],
    number: usize,
) -> Option<&'c mut Codec<'s>> {
    let place = places.get(number).copied().flatten()?;
    codecs.get_mut(place)
}
