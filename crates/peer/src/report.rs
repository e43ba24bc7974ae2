//! RTCP: reports at their time, feedback at once, and what the other side's mean.

use core::time::Duration;
use std::collections::VecDeque;

use rtckit_proto::{Instant, Random as _, SeededRandom, Transmit};
use rtckit_rtp::Ssrc;
use rtckit_rtp::rtcp::{Compound, FirEntry, ReportBlock, RtcpPacket};

use crate::event::Event;
use crate::jsep::FeedbackSet;
use crate::peer::Peer;
use crate::transceiver::{Receiving, Transceiver};

/// The mean time between reports. Feedback for video needs the round-trip time sooner than every 5 s
/// ([RFC 3550 §6.2](https://www.rfc-editor.org/rfc/rfc3550#section-6.2) allows less at these rates).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The first report is early, so that the round-trip time is known when the first loss happens.
const FIRST_REPORT: Duration = Duration::from_millis(200);
/// Reports that one SR or RR can carry.
const MAX_BLOCKS: usize = 31;
/// Lost packets asked for in one datagram.
const MAX_NACKED: usize = 256;

/// When the next report is due.
#[derive(Debug)]
pub(crate) struct ReportSchedule {
    random: SeededRandom,
    due: Option<Instant>,
}

impl ReportSchedule {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: SeededRandom::new(seed),
            due: None,
        }
    }

    /// Keys are there: reports begin.
    pub(crate) fn start(&mut self, now: Instant) {
        self.due = Some(now + FIRST_REPORT);
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a report is due; if so, the next is half to one and a half intervals away
    /// ([RFC 3550 §6.3.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.3.1)).
    fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            let jitter = self.random.below(REPORT_INTERVAL.as_nanos() as u64);
            self.due = Some(now + REPORT_INTERVAL / 2 + Duration::from_nanos(jitter));
        }
        is_due
    }
}

/// Takes in one RTCP packet.
pub(crate) fn handle_rtcp(
    transceivers: &mut [Transceiver],
    events: &mut VecDeque<Event>,
    now: Instant,
    packet: &RtcpPacket<'_>,
) {
    match packet {
        RtcpPacket::SenderReport(report) => {
            for transceiver in transceivers.iter_mut() {
                let stream = transceiver
                    .receiver
                    .as_mut()
                    .and_then(|receiver| receiver.stream.as_mut());
                if let Some(stream) = stream.filter(|stream| stream.ssrc() == report.sender.ssrc) {
                    stream.handle_sender_report(now, &report.sender);
                }
            }
            handle_blocks(transceivers, now, report.reports);
        }
        RtcpPacket::ReceiverReport(report) => handle_blocks(transceivers, now, report.reports),
        RtcpPacket::Nack(nack) => {
            if let Some(stream) = sender_of(transceivers, nack.media)
                .and_then(|transceiver| transceiver.sender.as_mut())
            {
                let count = nack.sequence_numbers().count();
                tracing::debug!(ssrc = %nack.media, count, "NACK received");
                stream.handle_nack(now, nack.sequence_numbers());
            }
        }
        RtcpPacket::PictureLossIndication(pli) => {
            let Some(transceiver) = sender_of(transceivers, pli.media) else {
                return;
            };
            if let Some(stream) = &mut transceiver.sender {
                stream.handle_picture_loss_indication();
            }
            tell_keyframe_request(transceiver, events);
        }
        RtcpPacket::FullIntraRequest(fir) => {
            for entry in fir.entries() {
                let Some(transceiver) = sender_of(transceivers, entry.ssrc) else {
                    continue;
                };
                if let Some(stream) = &mut transceiver.sender {
                    stream.handle_full_intra_request(entry.sequence_number);
                }
                tell_keyframe_request(transceiver, events);
            }
        }
        _ => {}
    }
}

fn tell_keyframe_request(transceiver: &mut Transceiver, events: &mut VecDeque<Event>) {
    let requested = transceiver
        .sender
        .as_mut()
        .is_some_and(|stream| stream.poll_key_frame_request());
    let event = Event::KeyframeRequested(transceiver.id);
    if requested && !events.contains(&event) {
        events.push_back(event);
    }
}

/// Reports on what we send tell the round-trip time, which paces what we ask for as well.
fn handle_blocks(
    transceivers: &mut [Transceiver],
    now: Instant,
    blocks: impl Iterator<Item = ReportBlock>,
) {
    for block in blocks {
        let measured = sender_of(transceivers, block.ssrc)
            .and_then(|transceiver| transceiver.sender.as_mut())
            .and_then(|stream| stream.handle_report(now, &block));
        if let Some(rtt) = measured {
            set_rtt(transceivers, rtt);
        }
    }
}

/// One transport, one round-trip time: every stream paces its repairs by it.
pub(crate) fn set_rtt(transceivers: &mut [Transceiver], rtt: Duration) {
    for transceiver in transceivers {
        if let Some(stream) = transceiver
            .receiver
            .as_mut()
            .and_then(|receiver| receiver.stream.as_mut())
        {
            stream.set_rtt(rtt);
        }
    }
}

fn sender_of(transceivers: &mut [Transceiver], ssrc: Ssrc) -> Option<&mut Transceiver> {
    transceivers
        .iter_mut()
        .find(|transceiver| transceiver.sender.is_some() && transceiver.ssrc == ssrc.0)
}

impl Peer {
    /// A compound of what is due: reports, requests for lost packets, requests for key frames.
    pub(crate) fn poll_rtcp(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let path = self.transport.media_path()?;
        let room = buf
            .len()
            .min(self.config.max_datagram)
            .checked_sub(MAX_SRTCP_OVERHEAD)?;
        let mut compound = Compound::new(buf.get_mut(..room)?);
        if self.reports.take(now) {
            self.write_reports(now, &mut compound);
        }
        self.write_feedback(now, &mut compound);
        let len = compound.len();
        if len == 0 {
            return None;
        }
        let len = self.transport.protect_rtcp(buf, len)?;
        let transmit = Transmit::new(path, len);
        self.transport.count_sent(&transmit);
        Some(transmit)
    }

    /// SR for each stream sent, or RR where there is none, with a CNAME each
    /// ([RFC 3550 §6.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.1)). What does not fit waits for the next time.
    ///
    /// Streams of RTX have neither SR nor blocks, as Chromium has no SR for its own: their timestamps are those of the
    /// media, which has one; how many of them are lost changes nothing, for a packet that does not come is asked for
    /// again; SDP says whose they are; and a Chromium that never hears of its stream keeps naming the section in it.
    fn write_reports(&mut self, now: Instant, compound: &mut Compound<'_>) {
        let mut blocks = [ReportBlock::default(); MAX_BLOCKS];
        let mut count = 0;
        for transceiver in &mut self.transceivers {
            let stream = transceiver
                .receiver
                .as_mut()
                .and_then(|receiver| receiver.stream.as_mut());
            if let (Some(slot), Some(block)) = (
                blocks.get_mut(count),
                stream.and_then(|stream| stream.report_block(now)),
            ) {
                *slot = block;
                count += 1;
            }
        }
        let mut blocks = blocks.get(..count).unwrap_or_default();
        let mut reported = false;
        for transceiver in &mut self.transceivers {
            let Some(stream) = transceiver.sending() else {
                continue;
            };
            let Some(info) = stream.sender_report(now, &self.config.wall_clock) else {
                continue;
            };
            let fitted = compound
                .sender_report(&info, core::mem::take(&mut blocks))
                .is_ok();
            reported |= fitted && compound.cname(info.ssrc, &self.cname).is_ok();
        }
        if !reported
            && let Some(ssrc) = self
                .transceivers
                .first()
                .map(|transceiver| Ssrc(transceiver.ssrc))
        {
            // RFC 3550 §6.4.2: one that sends nothing reports, with no blocks if need be
            let _ = compound
                .receiver_report(ssrc, blocks)
                .and_then(|()| compound.cname(ssrc, &self.cname));
        }
    }

    /// NACK, and PLI or FIR, as the streams want them and the codec's feedback allows.
    ///
    /// Alone in a datagram only if reduced-size RTCP was agreed on
    /// ([RFC 5506](https://www.rfc-editor.org/rfc/rfc5506)); else behind an empty report.
    fn write_feedback(&mut self, now: Instant, compound: &mut Compound<'_>) {
        let Some(own) = self
            .transceivers
            .first()
            .map(|transceiver| Ssrc(transceiver.ssrc))
        else {
            return;
        };
        for transceiver in &mut self.transceivers {
            let Some(feedback) = transceiver
                .codec
                .as_ref()
                .map(|codec| codec.receive.feedback)
            else {
                continue;
            };
            let Some(receiver) = &mut transceiver.receiver else {
                continue;
            };
            let Some(stream) = &mut receiver.stream else {
                continue;
            };
            let media = stream.ssrc();
            let mut lost = [0; MAX_NACKED];
            let count = if feedback.nack {
                stream.poll_nack(now, &mut lost)
            } else {
                0
            };
            // One that cannot be asked for is taken all the same, or it would stay due.
            let wants_key_frame =
                stream.poll_key_frame_request(now) && (feedback.pli || feedback.fir);
            if count == 0 && !wants_key_frame {
                continue;
            }
            if compound.is_empty() && !transceiver.rtcp_rsize {
                let _ = compound
                    .receiver_report(own, &[])
                    .and_then(|()| compound.cname(own, &self.cname));
            }
            // What does not fit is asked for again a round trip later.
            if count > 0 {
                tracing::debug!(ssrc = %media, count, "NACK sent");
            }
            let _ = compound.nack(own, media, lost.iter().copied().take(count));
            if wants_key_frame {
                write_key_frame_request(receiver, feedback, own, media, compound);
            }
        }
    }

    /// BYE for every stream sent ([RFC 3550 §6.6](https://www.rfc-editor.org/rfc/rfc3550#section-6.6)).
    pub(crate) fn poll_goodbye(&mut self, buf: &mut [u8]) -> Option<Transmit> {
        let path = self.transport.media_path()?;
        let sources: Vec<Ssrc> = self
            .transceivers
            .iter()
            .filter(|transceiver| transceiver.sender.is_some())
            .map(|transceiver| Ssrc(transceiver.ssrc))
            .take(MAX_BLOCKS)
            .collect();
        let first = *sources.first()?;
        let room = buf.len().checked_sub(MAX_SRTCP_OVERHEAD)?;
        let mut compound = Compound::new(buf.get_mut(..room)?);
        compound.receiver_report(first, &[]).ok()?;
        compound.cname(first, &self.cname).ok()?;
        compound.goodbye(&sources, "").ok()?;
        let len = compound.len();
        let len = self.transport.protect_rtcp(buf, len)?;
        let transmit = Transmit::new(path, len);
        self.transport.count_sent(&transmit);
        Some(transmit)
    }
}

/// PLI, or FIR where that is all that was agreed on: what is missing then leaves the video unusable, which is what FIR is
/// for ([RFC 5104 §4.3.1.2](https://www.rfc-editor.org/rfc/rfc5104#section-4.3.1.2)).
///
/// Each FIR is a new command with a number of its own, not the last repeated: it goes out no sooner than two round trips
/// later, when the command, or the picture it brought, must have been lost.
fn write_key_frame_request(
    receiver: &mut Receiving,
    feedback: FeedbackSet,
    own: Ssrc,
    media: Ssrc,
    compound: &mut Compound<'_>,
) {
    tracing::debug!(ssrc = %media, "key frame requested");
    if feedback.pli {
        let written = compound.picture_loss_indication(own, media);
        receiver.plis += u64::from(written.is_ok());
    } else {
        let entry = FirEntry {
            ssrc: media,
            sequence_number: receiver.firs as u8,
        };
        let written = compound.full_intra_request(own, &[entry]);
        receiver.firs += u64::from(written.is_ok());
    }
}

/// The most any SRTP profile adds to an RTCP packet: a tag and the index.
const MAX_SRTCP_OVERHEAD: usize = 20;
