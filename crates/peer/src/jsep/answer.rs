//! How an answer follows from an offer ([RFC 9429 §5.3](https://www.rfc-editor.org/rfc/rfc9429#section-5.3)), and what
//! an answer must satisfy.

use super::codec::{Agreed, formats};
use super::{Codec, Description, Media, MidExtension, RtpSection, Section};
use crate::error::Error;
use rtckit_sdp::Session;
use rtckit_sdp::attribute::Direction;
use rtckit_sdp::offer_answer::{self, Outline, Violation};

/// What this side brings to one section of an answer.
#[derive(Clone, Debug)]
pub(crate) struct LocalRtp {
    pub(crate) direction: Direction,
    pub(crate) msid: (String, String),
    pub(crate) ssrc: u32,
    /// The SSRC lost packets are sent again with, where that is agreed on.
    pub(crate) rtx_ssrc: u32,
    pub(crate) cname: String,
}

impl LocalRtp {
    /// The SSRCs to announce, and the pairs of `a=ssrc-group:FID`, where media is sent with `codecs`.
    pub(crate) fn announced(
        &self,
        direction: Direction,
        codecs: &[Codec],
    ) -> (Vec<u32>, Vec<(u32, u32)>) {
        let sends = direction.sends();
        let repeats = sends && codecs.iter().any(|codec| codec.rtx.is_some());
        let ssrcs = sends.then_some(self.ssrc);
        let pair = repeats.then_some((self.ssrc, self.rtx_ssrc));
        (ssrcs.into_iter().collect(), pair.into_iter().collect())
    }
}

/// The mid of the offered section whose transport will carry the bundle: the first in the BUNDLE group that is in use.
///
/// Without a group there is nothing to share, and only the first usable section is accepted.
fn first_bundled(offer: &Description) -> Option<&str> {
    offer
        .transport_section()
        .map(|section| section.mid.as_str())
}

/// Our section in answer to `offered`; refused when we have no codec for it, it cannot share the transport, or it would
/// need a port of its own for RTCP.
///
/// The transport's part (credentials, fingerprint, setup) is filled in by the caller.
pub(crate) fn answer_section(
    offer: &Description,
    offered: &Section,
    local: Option<&LocalRtp>,
) -> Section {
    let refusal = Section {
        mid: offered.mid.clone(),
        media: offered.media.clone(),
        rejected: true,
        rtcp_mux: false,
        rtcp_rsize: false,
        transport: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    };
    let (Media::Rtp(theirs), Some(local)) = (&offered.media, local) else {
        return refusal;
    };
    let shares_transport =
        offer.bundle.contains(&offered.mid) || first_bundled(offer) == Some(offered.mid.as_str());
    let codecs: Vec<_> = theirs.codecs.iter().map(Codec::answer).collect();
    if offered.rejected || !shares_transport || !offered.rtcp_mux || codecs.is_empty() {
        return refusal;
    }
    let direction = offer_answer::answer_direction(theirs.direction, local.direction);
    let (ssrcs, rtx_ssrcs) = local.announced(direction, &codecs);
    Section {
        mid: offered.mid.clone(),
        media: Media::Rtp(RtpSection {
            kind: theirs.kind,
            protocol: theirs.protocol.clone(),
            direction,
            formats: formats(&codecs),
            codecs,
            mid_extension: theirs.mid_extension.map(MidExtension::reversed),
            msid: direction.sends().then(|| local.msid.clone()),
            ssrcs,
            rtx_ssrcs,
            cname: Some(local.cname.clone()),
        }),
        rejected: false,
        rtcp_mux: true,
        rtcp_rsize: offered.rtcp_rsize,
        transport: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    }
}

/// The codec the answer wants most, as either side numbers it.
pub(crate) fn agreed_codec(
    answered: &RtpSection,
    ours: &RtpSection,
    theirs: &RtpSection,
) -> Option<Agreed> {
    let wanted = answered.codecs.first()?;
    let of = |section: &RtpSection| {
        let alike = |codec: &&Codec| codec.format == wanted.format;
        let mut codecs = section.codecs.iter().filter(alike);
        // several payload types can have one codec: the number tells, unless the answer has its own
        let numbered = |codec: &&Codec| codec.payload_type == wanted.payload_type;
        codecs
            .clone()
            .find(numbered)
            .or_else(|| codecs.next())
            .cloned()
    };
    Codec::agreed(&of(ours)?, &of(theirs)?)
}

/// Whether `answer` is one to `offer`: the same sections in the same order, nothing in use that was not offered, all on
/// the one transport there is ([RFC 9429 §5.9, §5.11](https://www.rfc-editor.org/rfc/rfc9429#section-5.11)).
pub(crate) fn check_answer(offer: &Description, answer: &Session<'_>) -> Result<(), Error> {
    let offer = offer.outline();
    // That a rejected section leaves its group is left unchecked: nothing depends on it.
    let outline = Outline::of(answer).without_rejected_in_bundles();
    offer_answer::check_answer(&offer, &outline)
        .and_then(|()| offer_answer::check_one_transport(&offer, &outline))
        .map_err(|violation| refusal(violation, answer))
}

/// Whether `offer`, of either side, may follow what was agreed on
/// ([RFC 9429 §5.10](https://www.rfc-editor.org/rfc/rfc9429#section-5.10)).
///
/// The `o=` line is not looked at: aiortc and werift do not keep to RFC 3264 §8, and nothing depends on it.
pub(crate) fn check_reoffer(
    local: &Description,
    remote: &Description,
    offer: &Session<'_>,
) -> Result<(), Error> {
    let free = recyclable(local, remote);
    let free = |index: usize| free.contains(&index);
    offer_answer::check_reoffer(&remote.outline(), free, &Outline::of(offer))
        .map_err(|violation| refusal(violation, offer))
}

/// The sections a new one may take the place of: those that either side has rejected.
pub(crate) fn recyclable(local: &Description, remote: &Description) -> Vec<usize> {
    offer_answer::recyclable(&local.outline(), &remote.outline()).collect()
}

fn refusal(violation: Violation, text: &Session<'_>) -> Error {
    match violation.line(text) {
        Some(line) => Error::unacceptable_at(violation.rule, line),
        None => Error::unacceptable(violation.rule),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What real peers said to each other, by name.
    fn captures() -> BTreeMap<String, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdp/testdata/captured");
        let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        files
            .filter_map(|file| {
                let name = file.file_name().into_string().ok()?;
                let name = name.strip_suffix(".sdp")?.to_owned();
                Some((name, std::fs::read_to_string(file.path()).ok()?))
            })
            .collect()
    }

    fn described(text: &str) -> Description {
        super::super::read(&Session::parse(text).unwrap()).unwrap()
    }

    /// The answers that accept a section which was offered with port 0.
    const REFUSED: &[&str] = &[
        "chromium-stopped-answer-by-aiortc",
        "chromium-stopped-answer-by-gstreamer",
    ];

    #[test]
    fn real_answers_are_taken() {
        let captures = captures();
        let mut refused = Vec::new();
        let mut taken = 0;
        for (name, text) in &captures {
            let Some((stem, _)) = name.split_once("-answer") else {
                continue;
            };
            let offer = described(&captures[&format!("{stem}-offer")]);
            match check_answer(&offer, &Session::parse(text).unwrap()) {
                Ok(()) => taken += 1,
                Err(Error::UnacceptableDescription(broken)) => {
                    assert!(broken.line.is_some(), "{name}: {broken}");
                    refused.push(name.as_str());
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
        assert_eq!(refused, REFUSED);
        assert!(taken >= 30, "{taken}");
    }

    #[test]
    fn real_offers_may_follow_each_other() {
        let captures = captures();
        for (before, after) in [
            ("aiortc-media", "aiortc-inactive"),
            ("aiortc-inactive", "aiortc-stopped"),
            ("chromium-media", "chromium-restart"),
            ("chromium-restart", "chromium-stopped"),
            ("firefox-media", "firefox-restart"),
            ("firefox-restart", "firefox-stopped"),
            ("gstreamer-media", "gstreamer-inactive"),
            ("werift-media", "werift-restart"),
            ("werift-restart", "werift-inactive"),
        ] {
            let remote = described(&captures[&format!("{before}-offer")]);
            let local = described(&captures[&format!("{before}-answer")]);
            let offer = Session::parse(&captures[&format!("{after}-offer")]).unwrap();
            assert_eq!(check_reoffer(&local, &remote, &offer), Ok(()), "{after}");
        }
    }
}
