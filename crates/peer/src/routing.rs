//! Which stream a packet belongs to.

use std::collections::VecDeque;

use rtckit_proto::Instant;
use rtckit_rtp::{Packet, rtcp};

use crate::config::Config;
use crate::event::Event;
use crate::report::handle_rtcp;
use crate::secure_transport::Opened;
use crate::transceiver::Transceiver;

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
    let Some(index) = stream_of(transceivers, packet) else {
        return;
    };
    let Some(transceiver) = transceivers.get_mut(index) else {
        return;
    };
    let Some(stream) = transceiver.receive_stream(config, packet.ssrc()) else {
        return;
    };
    stream.handle_packet(now, packet);
    tell_frames(transceiver, events, now);
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

/// Which transceiver a packet belongs to: by its mid, by its SSRC, and failing both by its payload type, if that is
/// nobody else's ([RFC 9143 §9.2](https://www.rfc-editor.org/rfc/rfc9143#section-9.2)). Its payload type must be the one
/// agreed on.
fn stream_of(transceivers: &[Transceiver], packet: &Packet<'_>) -> Option<usize> {
    let receives = |transceiver: &&Transceiver| {
        let payload_type = transceiver.codec.as_ref().map(|codec| codec.payload_type);
        transceiver.receiver.is_some() && payload_type == Some(packet.payload_type().0)
    };
    let position = |rule: &dyn Fn(&Transceiver) -> bool| {
        transceivers
            .iter()
            .position(|transceiver| receives(&transceiver) && rule(transceiver))
    };
    let ssrc = packet.ssrc();
    let bound = |transceiver: &Transceiver| {
        let stream = transceiver
            .receiver
            .as_ref()
            .and_then(|receiver| receiver.stream.as_ref());
        stream.is_some_and(|stream| stream.ssrc() == ssrc)
    };
    let named = |transceiver: &Transceiver| {
        let mid = transceiver
            .mid_extension
            .and_then(|id| packet.extension(id));
        mid.is_some() && mid == transceiver.mid.as_deref().map(str::as_bytes)
    };
    let announced = |transceiver: &Transceiver| {
        transceiver
            .receiver
            .as_ref()
            .is_some_and(|receiver| receiver.announced.contains(&ssrc.0))
    };
    position(&bound)
        .or_else(|| position(&named))
        .or_else(|| position(&announced))
        .or_else(|| {
            let mut candidates = transceivers
                .iter()
                .enumerate()
                .filter(|(_, transceiver)| receives(transceiver));
            let (index, _) = candidates.next()?;
            candidates.next().is_none().then_some(index)
        })
}
