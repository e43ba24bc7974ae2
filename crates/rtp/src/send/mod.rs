//! Sending one stream: frames in, RTP packets out, and again when they were lost.
//!
//! ```text
//!  write_frame ──► packetizer ──► history: [ sent, kept for NACKs | not sent yet ] ──► poll_packet ──► SRTP
//!                                    ▲                                  ▲
//!  handle_nack ──────────────────────┘ to be sent again ────────────────┘ on the stream of RTX, if there is one
//! ```

mod history;

use alloc::vec::Vec;
use core::time::Duration;

use arrayvec::ArrayVec;
use rtckit_proto::{Instant, NtpTime, Random, SeededRandom, WallClock};

use crate::packet::field;
use crate::payload::{Codec, Packetizer};
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::rtx::{OSN_LEN, RtxStream};
use crate::{Error, Extension, Header, PayloadType, Ssrc};
use history::{History, Resend};

/// The most packets a stream can be told to keep.
pub const MAX_HISTORY: usize = 8_192;
/// The longest packet a stream can be told to make, in bytes.
pub const MAX_PACKET: usize = 9_000;
/// The longest header of a stream: the fixed one and the longest extension of one element.
const MAX_HEADER: usize = 12 + 4 + 2 + 255 + 3;
/// How many numbers of one NACK are looked at; a frame of video rarely has more packets.
const MAX_NACKED: usize = 1_024;
/// How many sender reports are remembered, to tell the round-trip time from the reports on them.
const REMEMBERED_REPORTS: usize = 8;
/// The round-trip time before any was measured.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// A round-trip time above this is taken for a mistake.
const MAX_RTT: Duration = Duration::from_secs(60);

/// What a [`SendStream`] is made with.
#[derive(Clone, Debug)]
pub struct SendConfig {
    /// The stream's source.
    pub ssrc: Ssrc,
    /// The payload type that SDP gave the codec.
    pub payload_type: PayloadType,
    /// The codec, and with it the payload format.
    pub codec: Codec,
    /// The rate of the RTP clock in Hz.
    pub clock_rate: u32,
    /// The longest RTP packet in bytes, header included, SRTP's tag not; up to [`MAX_PACKET`].
    pub max_packet: usize,
    /// How many packets are kept, sent or not, rounded up to a power of two; up to [`MAX_HISTORY`]. It bounds the
    /// longest frame, and the memory: this many times `max_packet`. Without RTX there is no use for more than 1024:
    /// SRTP neither protects nor opens a packet that is further behind.
    pub history: usize,
    /// The MID header extension: its identifier and value, sent in every packet
    /// ([RFC 8843 §15.1](https://www.rfc-editor.org/rfc/rfc8843#section-15.1)).
    pub mid: Option<(u8, Vec<u8>)>,
    /// Where lost packets are sent again; on the stream itself when there is none.
    pub rtx: Option<RtxStream>,
    /// Chooses the first sequence number, the offset of the timestamps and the format's own numbers.
    pub seed: u64,
}

impl SendConfig {
    /// A stream of `codec` with packets of 1200 bytes, and a history of a second, but not more than 1024 packets for
    /// video, 64 for audio.
    pub fn new(ssrc: Ssrc, payload_type: PayloadType, codec: Codec, seed: u64) -> Self {
        Self {
            ssrc,
            payload_type,
            codec,
            clock_rate: codec.clock_rate(),
            max_packet: 1_200,
            history: if codec.has_key_frames() { 1_024 } else { 64 },
            mid: None,
            rtx: None,
            seed,
        }
    }
}

/// What a [`SendStream`] has done. Counters never go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendStats {
    /// Frames taken.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Frames not taken, because too many packets waited.
    pub frames_dropped: u64,
    /// Packets sent, again or for the first time.
    pub packets: u64,
    /// Bytes of payload in them.
    pub payload_bytes: u64,
    /// Bytes of headers in them.
    pub header_bytes: u64,
    /// Packets sent again, on whichever stream.
    pub retransmitted_packets: u64,
    /// Bytes of payload sent again.
    pub retransmitted_bytes: u64,
    /// Those of them that went over RTX.
    pub rtx_packets: u64,
    /// Bytes of payload in those, without the two bytes that name the original.
    pub rtx_bytes: u64,
    /// NACKs received.
    pub nacks: u64,
    /// PLIs received.
    pub plis: u64,
    /// FIRs received, repetitions not counted.
    pub firs: u64,
    /// The last round-trip time measured by a report.
    pub rtt: Option<Duration>,
    /// The sum of all measured, for averages.
    pub rtt_total: Duration,
    /// How many were measured.
    pub rtt_measurements: u64,
    /// The part lost on the way, in 1/256, by the last report.
    pub remote_fraction_lost: u8,
    /// Packets lost on the way, by the last report.
    pub remote_lost: i32,
    /// The jitter at the receiver, in ticks of the stream's clock, by the last report.
    pub remote_jitter: u32,
    /// Reports received on this stream.
    pub reports: u64,
}

/// When and with which stamp a sender report was made.
#[derive(Clone, Copy, Debug)]
struct SentReport {
    /// What a receiver repeats as LSR.
    middle: u32,
    at: Instant,
}

/// The state of one stream that is sent.
///
/// **Order.** Frames come in by [`write_frame`](Self::write_frame), feedback by the `handle_*` methods; after any
/// of them, [`poll_packet`](Self::poll_packet) until it returns `None`. It has no timers: nothing happens unless it
/// is called. No packet is sent before it is polled, so a pacer may stand behind it.
///
/// **Memory.** The ring of packets grows to what the stream sends in a second, or to
/// [`history`](SendConfig::history); from then on nothing is allocated. A packet sent again is either one of the stream of RTX, with
/// a number of its own, or the same bytes again, so that SRTP, which derives its keystream from source and number, stays
/// safe.
#[derive(Debug)]
pub struct SendStream {
    codec: Codec,
    packetizer: Packetizer,
    history: History,
    /// The header of every packet, but for marker, sequence number and timestamp.
    header: ArrayVec<u8, MAX_HEADER>,
    ssrc: Ssrc,
    rtx: Option<RtxStream>,
    /// The number of the next packet on the stream of RTX.
    rtx_sequence_number: u16,
    clock_rate: u32,
    max_payload: usize,
    timestamp_offset: u32,
    /// The RTP timestamp of the last frame, and when it was written.
    last_frame: Option<(u32, Instant)>,
    sent_reports: ArrayVec<SentReport, REMEMBERED_REPORTS>,
    smoothed_rtt: Duration,
    fir_sequence_number: Option<u8>,
    key_frame_requested: bool,
    stats: SendStats,
}

impl SendStream {
    /// A stream that has sent nothing. Fails with [`Error::OutOfRange`] when a value of `config` is beyond what
    /// its field allows.
    pub fn new(config: &SendConfig) -> Result<Self, Error> {
        let mut random = SeededRandom::new(config.seed);
        let header = header_of(config)?;
        let max_payload = config
            .max_packet
            // what fits must fit on the stream of RTX as well, which may be agreed on later
            .checked_sub(header.len() + OSN_LEN)
            .filter(|&len| len > 0 && config.max_packet <= MAX_PACKET)
            .ok_or(Error::OutOfRange("max_packet: header and payload, 9000"))?;
        if !(1..=MAX_HISTORY).contains(&config.history) {
            return Err(Error::OutOfRange("history: 1-8192 packets"));
        }
        if config.clock_rate == 0 {
            return Err(Error::OutOfRange("clock_rate: above 0"));
        }
        // in the lower half, so that SRTP's roll-over counter is not in doubt when early packets are lost
        // (RFC 3711 §3.3.1)
        let mut first_number = || random.next_u32() as u16 & 0x7fff;
        let (first, rtx_sequence_number) = (first_number(), first_number());
        Ok(Self {
            codec: config.codec,
            packetizer: Packetizer::new(config.codec, random.next_u64()),
            history: History::new(config.history, config.max_packet, first),
            header,
            ssrc: config.ssrc,
            rtx: config.rtx,
            rtx_sequence_number,
            clock_rate: config.clock_rate,
            max_payload,
            timestamp_offset: random.next_u32(),
            last_frame: None,
            sent_reports: ArrayVec::new(),
            smoothed_rtt: INITIAL_RTT,
            fir_sequence_number: None,
            key_frame_requested: false,
            stats: SendStats::default(),
        })
    }

    /// The stream's source.
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The stream that lost packets are sent again on, if there is one.
    pub fn rtx(&self) -> Option<RtxStream> {
        self.rtx
    }

    /// SDP has given the codec another payload type, or agreed on RTX or against it. Packets that were cut before keep
    /// their type.
    pub fn set_payload_types(&mut self, payload_type: PayloadType, rtx: Option<RtxStream>) {
        if let Some(byte) = self.header.get_mut(field::MARKER_BYTE) {
            *byte = payload_type.0 & field::PAYLOAD_TYPE;
        }
        self.rtx = rtx;
    }

    /// What the stream has done.
    pub fn stats(&self) -> &SendStats {
        &self.stats
    }

    /// How many packets wait for [`poll_packet`](Self::poll_packet), those to be sent again included.
    pub fn queued_packets(&self) -> usize {
        self.history.queued()
    }

    /// The smoothed round-trip time; 100 ms before any was measured.
    pub fn rtt(&self) -> Duration {
        self.smoothed_rtt
    }

    /// Tells the round-trip time measured elsewhere (by ICE, say), for the pace of retransmissions.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.smoothed_rtt = rtt.min(MAX_RTT);
    }

    /// A NACK came for this stream. The packets still kept will be sent again, each not more often than about
    /// once in a round-trip time.
    ///
    /// It looks at the first 1024 numbers; at most 256 packets wait to be sent again at any time.
    pub fn handle_nack(&mut self, now: Instant, sequence_numbers: impl IntoIterator<Item = u16>) {
        self.stats.nacks += 1;
        // a receiver that asks once in a round trip must not be refused because it is a little early
        let pause = (self.smoothed_rtt * 3 / 4).max(Duration::from_millis(5));
        for number in sequence_numbers.into_iter().take(MAX_NACKED) {
            if self.history.request(now, number, pause) == Resend::Full {
                break;
            }
        }
    }

    /// A PLI came for this stream; see [`poll_key_frame_request`](Self::poll_key_frame_request).
    pub fn handle_picture_loss_indication(&mut self) {
        self.stats.plis += 1;
        self.key_frame_requested = true;
    }

    /// A FIR came with an entry for this stream. The same number twice is the same request
    /// ([RFC 5104 §4.3.1.1](https://www.rfc-editor.org/rfc/rfc5104#section-4.3.1.1)).
    pub fn handle_full_intra_request(&mut self, sequence_number: u8) {
        if self.fir_sequence_number != Some(sequence_number) {
            self.fir_sequence_number = Some(sequence_number);
            self.stats.firs += 1;
            self.key_frame_requested = true;
        }
    }

    /// A receiver reported on this stream. Returns the round-trip time if the report tells it: if it answers one
    /// of the last eight [`sender_report`](Self::sender_report)s
    /// ([RFC 3550 §6.4.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1)).
    pub fn handle_report(&mut self, now: Instant, report: &ReportBlock) -> Option<Duration> {
        self.stats.reports += 1;
        self.stats.remote_fraction_lost = report.fraction_lost;
        self.stats.remote_lost = report.cumulative_lost;
        self.stats.remote_jitter = report.jitter;
        let sent = self
            .sent_reports
            .iter()
            .rfind(|sent| sent.middle == report.last_sr && report.last_sr != 0)?;
        let delay =
            Duration::from_nanos((u64::from(report.delay_since_last_sr) * 1_000_000_000) >> 16);
        let rtt = now.duration_since(sent.at).saturating_sub(delay);
        if rtt > MAX_RTT {
            return None;
        }
        self.smoothed_rtt = if self.stats.rtt.is_none() {
            rtt
        } else {
            (self.smoothed_rtt * 7 + rtt) / 8
        };
        self.stats.rtt = Some(rtt);
        self.stats.rtt_total = self.stats.rtt_total.saturating_add(rtt);
        self.stats.rtt_measurements += 1;
        Some(rtt)
    }

    /// Cuts `frame` into packets and queues them. `timestamp` is its media time in ticks of the RTP clock, from
    /// any origin; packets carry it with the stream's random offset.
    ///
    /// On an error the stream is as it was and goes on. [`Error::QueueFull`] means that packets are not polled as
    /// fast as they come; the next frame should then be a key frame.
    pub fn write_frame(&mut self, now: Instant, timestamp: u32, frame: &[u8]) -> Result<(), Error> {
        // a rough bound before anything is used up: the format's own bytes are a few in each packet
        if frame.len() > self.history.capacity() * self.max_payload {
            return Err(Error::FrameLength(frame.len()));
        }
        let mut attempt = self.packetizer.clone();
        let mut payloads = attempt.packets(frame, self.max_payload)?;
        let count = payloads.remaining();
        if count > self.history.capacity() {
            return Err(Error::FrameLength(frame.len()));
        }
        if count > self.history.free() {
            self.stats.frames_dropped += 1;
            return Err(Error::QueueFull);
        }
        self.history.reserve(now, count);
        let timestamp = timestamp.wrapping_add(self.timestamp_offset);
        for _ in 0..count {
            let header = &self.header;
            self.history.push(header.len(), |sequence_number, packet| {
                let (head, body) = packet.split_at_mut_checked(header.len())?;
                head.copy_from_slice(header);
                let chunk = payloads.next(body)?;
                head.get_mut(field::SEQUENCE_NUMBER)?
                    .copy_from_slice(&sequence_number.to_be_bytes());
                head.get_mut(field::TIMESTAMP)?
                    .copy_from_slice(&timestamp.to_be_bytes());
                if chunk.marker {
                    *head.get_mut(field::MARKER_BYTE)? |= field::MARKER;
                }
                Some(chunk.len)
            });
        }
        self.packetizer = attempt;
        self.last_frame = Some((timestamp, now));
        self.stats.frames += 1;
        if self.codec.has_key_frames() && self.codec.is_key_frame(frame) {
            self.stats.key_frames += 1;
        }
        Ok(())
    }

    /// Writes the next packet that is due into `buf` and returns its length; `None` when nothing waits, or when
    /// `buf` is shorter than `max_packet` and the packet does not fit. Packets to be sent again go first.
    pub fn poll_packet(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        let prefix = self.rtx.map_or(0, |_| OSN_LEN);
        let sent = self.history.next(now, buf.len(), prefix)?;
        let header_len = self.header.len();
        let payload_len = (sent.bytes.len() - header_len) as u64;
        self.stats.packets += 1;
        self.stats.payload_bytes += payload_len;
        self.stats.header_bytes += header_len as u64;
        if sent.again {
            self.stats.retransmitted_packets += 1;
            self.stats.retransmitted_bytes += payload_len;
        }
        let Some(rtx) = self.rtx.filter(|_| sent.again) else {
            buf.get_mut(..sent.bytes.len())?.copy_from_slice(sent.bytes);
            return Some(sent.bytes.len());
        };
        let number = self.rtx_sequence_number;
        self.rtx_sequence_number = number.wrapping_add(1);
        self.stats.rtx_packets += 1;
        self.stats.rtx_bytes += payload_len;
        rtx.write(number, sent.bytes, header_len, buf)
    }

    /// Whether the receiver has asked for a key frame since this was last called.
    pub fn poll_key_frame_request(&mut self) -> bool {
        core::mem::take(&mut self.key_frame_requested)
    }

    /// What a sender report at `now` says; `None` before the first packet was sent.
    ///
    /// It is remembered, so that a receiver's report on it tells the round-trip time: call it once for each
    /// report that is sent. What went over RTX is another source's, and not counted here
    /// ([RFC 3550 §6.4.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1)).
    pub fn sender_report(&mut self, now: Instant, clock: &WallClock) -> Option<SenderInfo> {
        let (timestamp, at) = self.last_frame.filter(|_| self.stats.packets > 0)?;
        let ntp = clock.ntp(now);
        self.remember(now, ntp);
        Some(SenderInfo {
            ssrc: self.ssrc,
            ntp,
            rtp_timestamp: timestamp.wrapping_add(ticks(now.duration_since(at), self.clock_rate)),
            packet_count: (self.stats.packets - self.stats.rtx_packets) as u32,
            octet_count: (self.stats.payload_bytes - self.stats.rtx_bytes) as u32,
        })
    }

    fn remember(&mut self, now: Instant, ntp: NtpTime) {
        if self.sent_reports.is_full() {
            self.sent_reports.remove(0);
        }
        self.sent_reports.push(SentReport {
            middle: ntp.middle(),
            at: now,
        });
    }
}

/// How many ticks of a clock of `rate` Hz pass in `duration`, as far as 32 bits tell.
pub(crate) fn ticks(duration: Duration, rate: u32) -> u32 {
    (duration.as_nanos() * u128::from(rate) / 1_000_000_000) as u32
}

/// The bytes that all headers of a stream share.
fn header_of(config: &SendConfig) -> Result<ArrayVec<u8, MAX_HEADER>, Error> {
    let mid = config.mid.as_ref();
    let extension = mid.map(|(id, data)| Extension { id: *id, data });
    let header = Header {
        payload_type: config.payload_type,
        ssrc: config.ssrc,
        extensions: extension.as_slice(),
        ..Header::default()
    };
    let mut bytes = ArrayVec::from([0; MAX_HEADER]);
    let len = header.write(&mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}
