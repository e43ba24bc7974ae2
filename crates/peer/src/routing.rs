//! Which stream a packet belongs to.

use std::collections::VecDeque;

use rtckit_proto::Instant;
use rtckit_rtp::{Packet, Ssrc, rtcp};

use crate::config::Config;
use crate::event::Event;
use crate::report::handle_rtcp;
use crate::secure_transport::Opened;
use crate::transceiver::{Receiving, Transceiver};

/// Brings what a datagram held to the stream it belongs to.
pub(crate) fn route(
    transceivers: &mut [Transceiver],
    events: &mut VecDeque<Event>,
    config: &Config,
    now: Instant,
    opened: Option<Opened<'_>>,
) {
    match opened {
        Some(Opened::Rtp(bytes)) => {
            if let Ok(packet) = Packet::parse(bytes) {
                route_rtp(transceivers, events, config, now, &packet);
            }
        }
        Some(Opened::Rtcp(bytes)) => {
            for packet in rtcp::packets(bytes).flatten() {
                handle_rtcp(transceivers, events, now, &packet);
            }
        }
        None => {}
    }
}

fn route_rtp(
    transceivers: &mut [Transceiver],
    events: &mut VecDeque<Event>,
    config: &Config,
    now: Instant,
    packet: &Packet<'_>,
) {
    let Some((index, carries)) = stream_of(transceivers, packet) else {
        return;
    };
    let Some(transceiver) = transceivers.get_mut(index) else {
        return;
    };
    match carries {
        Carries::Media => {
            let Some(stream) = transceiver.receive_stream(config, packet.ssrc()) else {
                return;
            };
            stream.handle_packet(now, packet);
        }
        Carries::Retransmission => repair(transceiver, now, packet),
    }
    tell_frames(transceiver, events, now);
}

/// A packet of RTX came for `transceiver`.
///
/// Its stream is that of the media that comes now, for there is one at a time, unless the other side has announced it as
/// another's ([RFC 4588 §5.3](https://www.rfc-editor.org/rfc/rfc4588#section-5.3)).
fn repair(transceiver: &mut Transceiver, now: Instant, packet: &Packet<'_>) {
    let Some(receiver) = &mut transceiver.receiver else {
        return;
    };
    receiver.rtx_ssrc = Some(packet.ssrc());
    let Some(stream) = &mut receiver.stream else {
        // before any media there is nothing to repair; senders probe the path as early as this
        return;
    };
    let announced = receiver
        .announced_rtx
        .iter()
        .find(|(_, rtx)| *rtx == packet.ssrc().0);
    if announced.is_none_or(|(media, _)| *media == stream.ssrc().0) {
        stream.handle_retransmission(now, packet);
    }
}

/// Tells the user once that frames wait, because a packet came or one was given up.
pub(crate) fn tell_frames(
    transceiver: &mut Transceiver,
    events: &mut VecDeque<Event>,
    now: Instant,
) {
    let Some(receiver) = &mut transceiver.receiver else {
        return;
    };
    // Asked even when the user knows already: it does what is due, and what stays due keeps the driver spinning.
    let ready = receiver
        .stream
        .as_mut()
        .is_some_and(|stream| stream.has_frame(now));
    if ready && !receiver.told {
        receiver.told = true;
        events.push_back(Event::FrameReady(transceiver.id));
    }
}

/// What a packet brings to a transceiver, by its payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    Media,
    Retransmission,
}

/// Whether `transceiver` receives packets of this type, and what they are. Any other was not agreed on.
fn carries(transceiver: &Transceiver, packet: &Packet<'_>) -> Option<Carries> {
    transceiver.receiver.as_ref()?;
    let codec = &transceiver.codec.as_ref()?.receive;
    let payload_type = packet.payload_type().0;
    if codec.payload_type == payload_type {
        Some(Carries::Media)
    } else {
        (codec.rtx == Some(payload_type)).then_some(Carries::Retransmission)
    }
}

/// Whether packets of this source came to `receiver` before.
fn is_bound(receiver: &Receiving, carries: Carries, ssrc: Ssrc) -> bool {
    match carries {
        Carries::Media => receiver
            .stream
            .as_ref()
            .is_some_and(|stream| stream.ssrc() == ssrc),
        Carries::Retransmission => receiver.rtx_ssrc == Some(ssrc),
    }
}

/// Whether SDP said that this source is the section's.
fn is_announced(receiver: &Receiving, carries: Carries, ssrc: Ssrc) -> bool {
    match carries {
        Carries::Media => receiver.announced.contains(&ssrc.0),
        Carries::Retransmission => receiver.announced_rtx.iter().any(|(_, rtx)| *rtx == ssrc.0),
    }
}

/// Which transceiver a packet belongs to: by its mid, by its SSRC, and failing both by its payload type, if that is
/// nobody else's ([RFC 9143 §9.2](https://www.rfc-editor.org/rfc/rfc9143#section-9.2)). Its payload type must be one
/// agreed on.
fn stream_of(transceivers: &[Transceiver], packet: &Packet<'_>) -> Option<(usize, Carries)> {
    type Rule<'r> = &'r dyn Fn(&Transceiver, &Receiving, Carries) -> bool;
    let first = |rule: Rule<'_>| {
        let mut transceivers = transceivers.iter().enumerate();
        transceivers.find_map(|(index, transceiver)| {
            let carries = carries(transceiver, packet)?;
            let receiver = transceiver.receiver.as_ref()?;
            rule(transceiver, receiver, carries).then_some((index, carries))
        })
    };
    let only = || {
        let transceivers = transceivers.iter().enumerate();
        let mut all = transceivers
            .filter_map(|(index, transceiver)| Some((index, carries(transceiver, packet)?)));
        let only = all.next()?;
        all.next().is_none().then_some(only)
    };
    let ssrc = packet.ssrc();
    let bound: Rule<'_> = &|_, receiver, carries| is_bound(receiver, carries, ssrc);
    let named: Rule<'_> = &|transceiver, _, _| {
        let mid = transceiver
            .mid_extension
            .and_then(|extension| packet.extension(extension.id));
        mid.is_some() && mid == transceiver.mid.as_deref().map(str::as_bytes)
    };
    let announced: Rule<'_> = &|_, receiver, carries| is_announced(receiver, carries, ssrc);
    // The mid comes first: a sender may move an SSRC to another section with it.
    first(named)
        .or_else(|| first(bound))
        .or_else(|| first(announced))
        .or_else(only)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rtckit_crypto::identity::Identity;
    use rtckit_crypto::provider::Provider;
    use rtckit_proto::WallClock;
    use rtckit_rtp::{Header, PayloadType};

    use super::*;
    use crate::peer::Peer;
    use crate::state::SessionDescription;
    use crate::stats::InboundRtpStats;

    const NOW: Instant = Instant::ZERO;
    const OFFER: &str = include_str!("../testdata/chromium156_vp8_offer.sdp");
    const CAPTURE: &str = include_str!("../../rtp/testdata/chromium156_vp8.txt");
    /// What Chromium announced.
    const AUDIO: Ssrc = Ssrc(1_015_848_746);
    const VIDEO: Ssrc = Ssrc(3_454_303_903);
    const RTX: Ssrc = Ssrc(980_338_256);

    /// A peer that receives what `offer` sends.
    fn receiver(offer: &str) -> Peer {
        let provider = Provider::simulation(1);
        let identity = Arc::new(Identity::generate(&provider).unwrap());
        let config = Config::new(
            provider,
            identity,
            WallClock::new(core::time::Duration::ZERO),
        );
        let mut peer = Peer::new(config, NOW).unwrap();
        peer.set_remote_description(NOW, SessionDescription::offer(offer))
            .unwrap();
        let answer = peer.create_answer().unwrap();
        peer.set_local_description(NOW, answer).unwrap();
        peer
    }

    /// The RTP packets that the offerer sent, probes before and between the pictures.
    fn captured() -> impl Iterator<Item = Vec<u8>> {
        let lines = CAPTURE.lines().filter_map(|line| line.strip_prefix("rtp "));
        let packets = lines.map(|hex| {
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>()
        });
        packets.filter(|bytes| {
            let ssrc = Packet::parse(bytes).unwrap().ssrc();
            [AUDIO, VIDEO, RTX].contains(&ssrc)
        })
    }

    fn receive(peer: &mut Peer, bytes: &[u8]) {
        let (transceivers, events) = (&mut peer.transceivers, &mut peer.events);
        route(
            transceivers,
            events,
            &peer.config,
            NOW,
            Some(Opened::Rtp(bytes)),
        );
        let ids: Vec<_> = peer
            .transceivers()
            .map(|transceiver| transceiver.id)
            .collect();
        for id in ids {
            let mut receiver = peer.receiver(id).unwrap();
            while let Some(frame) = receiver.read_frame(NOW) {
                assert!(frame.contiguous);
            }
        }
    }

    /// Every stream that is being received, sound first.
    fn streams(peer: &Peer) -> Vec<InboundRtpStats> {
        peer.stats(NOW).inbound_rtp
    }

    /// Without what names the section: the extension becomes one of another kind.
    fn unnamed(mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes[0] & 0x10 != 0 {
            bytes[12..14].copy_from_slice(&[0, 0]);
        }
        bytes
    }

    #[test]
    fn chromiums_media_and_probes_find_their_streams() {
        // by mid and announcement, by announcement alone, and by nothing but the payload type
        let silent: String = OFFER
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("a=ssrc"))
            .collect();
        for (offer, with_mid) in [
            (OFFER, true),
            (OFFER, false),
            (&silent, true),
            (&silent, false),
        ] {
            let mut peer = receiver(offer);
            for bytes in captured() {
                let bytes = if with_mid { bytes } else { unnamed(bytes) };
                receive(&mut peer, &bytes);
            }
            let [audio, video] = &streams(&peer)[..] else {
                panic!("two streams");
            };
            assert_eq!((audio.ssrc, audio.packets_received), (AUDIO.0, 12));
            assert_eq!(audio.rtx_ssrc, None);
            assert_eq!((video.ssrc, video.rtx_ssrc), (VIDEO.0, Some(RTX.0)));
            assert_eq!((video.packets_received, video.packets_lost), (24, 0));
            // three pictures' packets were repeated to probe; seven probes were padding
            assert_eq!(video.packets_duplicated, 3);
            assert_eq!(video.retransmitted_packets_received, 0);
            assert_eq!((video.key_frames_received, video.frames_dropped), (1, 0));
        }
    }

    #[test]
    fn a_lost_packet_is_taken_from_rtx() {
        let mut peer = receiver(OFFER);
        let all: Vec<_> = captured().collect();
        let repeated = all.iter().find_map(|bytes| {
            let packet = Packet::parse(bytes).unwrap();
            let is_rtx = packet.ssrc() == RTX && !packet.payload().is_empty();
            is_rtx.then(|| [packet.payload()[0], packet.payload()[1]])
        });
        let lost = |bytes: &&Vec<u8>| {
            Packet::parse(bytes).unwrap().ssrc() != VIDEO || Some([bytes[2], bytes[3]]) != repeated
        };
        for bytes in all.iter().filter(lost) {
            receive(&mut peer, bytes);
        }
        let video = &streams(&peer)[1];
        assert_eq!(video.retransmitted_packets_received, 1);
        assert_eq!((video.packets_received, video.packets_lost), (24, 1));
        assert_eq!((video.packets_duplicated, video.frames_dropped), (2, 0));
    }

    #[test]
    fn what_was_not_agreed_on_is_dropped() {
        let mut peer = receiver(OFFER);
        for bytes in captured() {
            receive(&mut peer, &bytes);
        }
        let before = format!("{:?}", streams(&peer));
        let mut buf = [0; 64];
        for (payload_type, ssrc) in [(98, VIDEO), (98, Ssrc(7)), (0, RTX), (127, AUDIO)] {
            let header = Header {
                payload_type: PayloadType(payload_type),
                ssrc,
                sequence_number: 9,
                ..Header::default()
            };
            let len = header.write(&mut buf).unwrap() + 20;
            receive(&mut peer, &buf[..len]);
        }
        assert_eq!(format!("{:?}", streams(&peer)), before);
    }

    #[test]
    fn rtx_announced_for_another_stream_repairs_nothing_and_many_sources_cost_nothing() {
        // the pair is of a stream that never comes
        let offer = OFFER.replace("FID 3454303903 ", "FID 1 ");
        let mut peer = receiver(&offer);
        for bytes in captured() {
            receive(&mut peer, &bytes);
        }
        assert_eq!(streams(&peer)[1].packets_duplicated, 0);

        let mut peer = receiver(OFFER);
        let rtx = captured().filter(|bytes| Packet::parse(bytes).unwrap().ssrc() == RTX);
        let rtx: Vec<_> = rtx.collect();
        for bytes in captured() {
            receive(&mut peer, &bytes);
        }
        for source in 1..=1_000_u32 {
            for bytes in &rtx {
                let mut bytes = bytes.clone();
                bytes[8..12].copy_from_slice(&source.to_be_bytes());
                receive(&mut peer, &bytes);
            }
        }
        let video = &streams(&peer)[1];
        assert_eq!((video.ssrc, video.rtx_ssrc), (VIDEO.0, Some(1_000)));
        assert_eq!((video.packets_received, video.frames_dropped), (24, 0));
        assert_eq!(video.packets_duplicated, 3 * 1_001);
    }
}
