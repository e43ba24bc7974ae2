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
    let Some(receiver) = transceiver
        .receiver
        .as_mut()
        .filter(|receiver| !receiver.told)
    else {
        return;
    };
    if receiver
        .stream
        .as_mut()
        .is_some_and(|stream| stream.has_frame(now))
    {
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
            .and_then(|id| packet.extension(id));
        mid.is_some() && mid == transceiver.mid.as_deref().map(str::as_bytes)
    };
    let announced: Rule<'_> = &|_, receiver, carries| is_announced(receiver, carries, ssrc);
    first(bound)
        .or_else(|| first(named))
        .or_else(|| first(announced))
        .or_else(only)
}
