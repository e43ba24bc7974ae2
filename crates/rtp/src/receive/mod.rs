//! Receiving one stream: RTP packets in, in any order and with holes; whole frames out, in order.
//!
//! ```text
//!  handle_packet ──► ring of packets ──► whole frames ──► poll_frame
//!                         │ missing?
//!                         ├──► poll_nack               asked for again, once in a round trip
//!                         └──► given up after a while  ──► poll_key_frame_request
//! ```

mod buffer;
mod losses;
mod reception;

use alloc::vec::Vec;
use core::time::Duration;

use rtckit_proto::{Instant, ReplayWindow, Unroller};

use crate::payload::Codec;
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::{Error, Packet, Ssrc, rtx};
use buffer::{Buffer, Content, Front, Part};
use losses::{Losses, Patience};
use reception::Reception;

/// The most packets a stream can be told to keep.
pub const MAX_PACKETS: usize = 8_192;
/// The longest frame a stream can be told to take, in bytes.
pub const MAX_FRAME: usize = 4 << 20;
/// The most bytes of payload a stream can be told to take in one packet.
pub const MAX_PAYLOAD: usize = 9_000;
/// A sequence number further ahead than this is taken for a mistake, or a restart if the next follows it
/// ([RFC 3550 A.1](https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1)).
const MAX_DROPOUT: u64 = 3_000;
/// How far before the first packet a stream may turn out to have begun, when packets were reordered.
const MAX_STEP_BACK: u64 = 64;
/// The round-trip time before one was told.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// The shortest time between two requests for a key frame.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(500);

/// What a [`ReceiveStream`] is made with.
#[derive(Clone, Debug)]
pub struct ReceiveConfig {
    /// The stream's source.
    pub ssrc: Ssrc,
    /// The codec, and with it the payload format.
    pub codec: Codec,
    /// The rate of the RTP clock in Hz.
    pub clock_rate: u32,
    /// Whether the sender repairs losses that it is told of.
    pub nack: bool,
    /// How long a packet may be overtaken before it is taken for lost.
    pub reorder_delay: Duration,
    /// How long a missing packet is waited for at most. Less, when ten requests have brought nothing.
    pub max_wait: Duration,
    /// How many packets are kept, rounded up to a power of two; up to [`MAX_PACKETS`]. It bounds the memory:
    /// this many times `max_payload`.
    pub packets: usize,
    /// The most bytes of payload in one packet; up to [`MAX_PAYLOAD`].
    pub max_payload: usize,
    /// The longest frame in bytes; up to [`MAX_FRAME`].
    pub max_frame: usize,
}

impl ReceiveConfig {
    /// A stream of `codec`, with 1024 packets for video and 128 for audio. Missing packets are waited for up to
    /// 1 s with NACK, 60 ms without.
    pub fn new(ssrc: Ssrc, codec: Codec, nack: bool) -> Self {
        Self {
            ssrc,
            codec,
            clock_rate: codec.clock_rate(),
            nack,
            reorder_delay: Duration::from_millis(10),
            max_wait: Duration::from_millis(if nack { 1_000 } else { 60 }),
            packets: if codec.has_key_frames() { 1_024 } else { 128 },
            max_payload: 1_500,
            max_frame: MAX_FRAME,
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.clock_rate == 0 {
            Err(Error::OutOfRange("clock_rate: above 0"))
        } else if !(1..=MAX_PACKETS).contains(&self.packets) {
            Err(Error::OutOfRange("packets: 1-8192"))
        } else if !(1..=MAX_PAYLOAD).contains(&self.max_payload) {
            Err(Error::OutOfRange("max_payload: 1-9000"))
        } else if !(1..=MAX_FRAME).contains(&self.max_frame) {
            Err(Error::OutOfRange("max_frame: 1 byte to 4 MiB"))
        } else {
            Ok(())
        }
    }
}

/// What a [`ReceiveStream`] has seen. Counters never go back, but for `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiveStats {
    /// Packets received, repeated ones too, duplicates not counted.
    pub packets: u64,
    /// Bytes of payload in them.
    pub payload_bytes: u64,
    /// Bytes of headers and padding in them.
    pub header_bytes: u64,
    /// Packets received twice, or so old that it cannot be told.
    pub duplicates: u64,
    /// Packets that came when they had been given up.
    pub late: u64,
    /// Packets whose payload could not be read, or was too long.
    pub malformed: u64,
    /// Packets that came after they had been asked for.
    pub repaired: u64,
    /// Packets that came over RTX and had not come before.
    pub retransmitted: u64,
    /// Packets of RTX that were of no use: of padding only, or of a stream or a part of it that is not known.
    pub retransmitted_ignored: u64,
    /// Packets that were sent, as far as can be told, and did not come since the stream last started over. One that came
    /// over RTX did not come on the stream, and stays lost.
    pub lost: i64,
    /// Interarrival jitter in ticks of the stream's clock.
    pub jitter: u32,
    /// Frames handed out.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// How often something between two frames was skipped, because packets did not come or made no sense.
    pub skips: u64,
    /// Requests for packets: calls of [`ReceiveStream::poll_nack`] that returned numbers.
    pub nacks: u64,
    /// Requests for key frames.
    pub key_frame_requests: u64,
    /// How often the stream started over: at another SSRC, or after a jump of the sequence numbers.
    pub restarts: u64,
}

/// A frame, lent until the stream is next used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'s> {
    /// The frame as the encoder made it.
    pub data: &'s [u8],
    /// Its RTP timestamp.
    pub timestamp: u32,
    /// Whether it can be decoded without any other.
    pub key_frame: bool,
    /// Whether nothing was skipped since the frame before it.
    pub contiguous: bool,
    /// The sequence number of its first packet.
    pub first_sequence_number: u16,
    /// The sequence number of its last packet.
    pub last_sequence_number: u16,
    /// When the last of its packets came.
    pub received_at: Instant,
}

impl core::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Frame")
            .field("len", &self.data.len())
            .field("timestamp", &self.timestamp)
            .field("key_frame", &self.key_frame)
            .field("contiguous", &self.contiguous)
            .finish_non_exhaustive()
    }
}

/// The state of one stream that is received.
///
/// **Order.** After [`handle_packet`](Self::handle_packet),
/// [`handle_retransmission`](Self::handle_retransmission) or [`handle_timeout`](Self::handle_timeout), call
/// [`poll_frame`](Self::poll_frame) until it returns `None`, [`poll_nack`](Self::poll_nack) until it returns no
/// number, [`poll_key_frame_request`](Self::poll_key_frame_request), then [`poll_timeout`](Self::poll_timeout).
/// Another order costs latency, never correctness.
///
/// **Delivery.** A frame is handed out as soon as all of its packets and those before it are there: the last
/// frame of a stream waits for nothing. What does not come is skipped when its time is over; the next frame then is
/// not `contiguous`, and for video a key frame is asked for, again and again until it comes.
///
/// **Memory.** The ring grows to what waits in it at most, up to [`packets`](ReceiveConfig::packets), and the buffer that
/// lends frames to the longest one; from then on nothing is allocated.
/// A call takes time in proportion to the packets kept at most.
#[derive(Debug)]
pub struct ReceiveStream {
    config: ReceiveConfig,
    /// The unwrapped sequence numbers; none before the first packet.
    numbers: Unroller<u16>,
    /// The number that would confirm a jump.
    probation: Option<u16>,
    window: ReplayWindow,
    buffer: Buffer,
    losses: Losses,
    reception: Reception,
    /// Whether something was handed out or skipped, so that the beginning is settled.
    settled: bool,
    /// Until when a stream that begins in the middle of a frame may still turn out to have begun earlier.
    hold: Option<Instant>,
    /// Whether something was skipped since the last frame.
    gap: bool,
    had_key_frame: bool,
    /// When to ask for a key frame, if one is wanted.
    key_frame_due: Option<Instant>,
    key_frame_asked: Option<Instant>,
    rtt: Duration,
    frame: Vec<u8>,
    stats: ReceiveStats,
}

impl ReceiveStream {
    /// A stream that has received nothing. Fails with [`Error::OutOfRange`] when a value of `config` is beyond
    /// what its field allows.
    pub fn new(config: ReceiveConfig) -> Result<Self, Error> {
        config.check()?;
        let buffer = Buffer::new(config.packets, config.max_payload);
        let patience = Patience {
            nack: config.nack,
            reorder_delay: config.reorder_delay,
            max_wait: config.max_wait,
        };
        Ok(Self {
            losses: Losses::new(buffer.capacity() as usize, patience),
            buffer,
            config,
            numbers: Unroller::default(),
            probation: None,
            window: ReplayWindow::default(),
            reception: Reception::default(),
            settled: false,
            hold: None,
            gap: false,
            had_key_frame: false,
            key_frame_due: None,
            key_frame_asked: None,
            rtt: INITIAL_RTT,
            frame: Vec::new(),
            stats: ReceiveStats::default(),
        })
    }

    /// The stream's source: that of the last packet.
    pub fn ssrc(&self) -> Ssrc {
        self.config.ssrc
    }

    /// What the stream has seen.
    pub fn stats(&self) -> ReceiveStats {
        ReceiveStats {
            lost: self.reception.lost(),
            jitter: self.reception.jitter(),
            ..self.stats
        }
    }

    /// A packet came for this stream; the caller has chosen it by SSRC, MID or payload type.
    ///
    /// A packet of another SSRC than the last starts the stream over
    /// ([RFC 3550 §8.2](https://www.rfc-editor.org/rfc/rfc3550#section-8.2)), and so do two packets in a row whose
    /// sequence numbers are far from those before.
    pub fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) {
        let number = packet.sequence_number();
        if packet.ssrc() != self.config.ssrc {
            self.config.ssrc = packet.ssrc();
            if self.numbers.highest().is_some() {
                self.restart(now, number);
            }
        }
        let Some(index) = self.index(now, number) else {
            return;
        };
        if !self.window.accept(index) {
            self.stats.duplicates += 1;
            return;
        }
        self.reception
            .packet(now, index, packet.timestamp(), self.config.clock_rate);
        self.accepted(now, index, packet);
    }

    /// A packet of RTX came for this stream; that it is this one's, the caller knows from SDP, or because there is no
    /// other ([RFC 4588 §5.3](https://www.rfc-editor.org/rfc/rfc4588#section-5.3)).
    ///
    /// It fills holes, and adds to the stream what may follow the last packet; it never starts the stream, nor starts it
    /// over. It is no packet of the stream for the report on it: neither loss nor jitter change. Packets without an
    /// original, as senders probe with, are ignored, and those that came before are duplicates.
    pub fn handle_retransmission(&mut self, now: Instant, packet: &Packet<'_>) {
        // which payload type the original had is of no interest: the codec is known
        let original = rtx::original(packet, self.config.ssrc, packet.payload_type());
        let known = original.and_then(|original| {
            let highest = self.numbers.highest()?;
            let index = self.numbers.peek(original.sequence_number());
            let near = !is_far(index, highest) && index as u16 == original.sequence_number();
            near.then_some((index, original))
        });
        let Some((index, original)) = known else {
            self.stats.retransmitted_ignored += 1;
            return;
        };
        if !self.window.accept(index) {
            self.stats.duplicates += 1;
            return;
        }
        self.numbers.unroll(original.sequence_number());
        self.stats.retransmitted += 1;
        self.accepted(now, index, &original);
    }

    /// A sender report came for this stream.
    pub fn handle_sender_report(&mut self, now: Instant, report: &SenderInfo) {
        self.reception.sender_report(now, report);
    }

    /// Skips what has been waited for long enough. [`poll_frame`](Self::poll_frame) does the same.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.settle(now);
    }

    /// Tells the round-trip time, by which requests are paced; 100 ms before.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt;
    }

    /// Asks for a key frame: the decoder has lost its way.
    pub fn request_key_frame(&mut self, now: Instant) {
        if self.config.codec.has_key_frames() && self.key_frame_due.is_none() {
            let earliest = self.key_frame_asked.map(|at| at + self.key_frame_pause());
            self.key_frame_due = Some(earliest.map_or(now, |earliest| earliest.max(now)));
        }
    }

    /// Whether [`poll_frame`](Self::poll_frame) has a frame to lend.
    pub fn has_frame(&mut self, now: Instant) -> bool {
        self.settle(now).is_some()
    }

    /// The next frame, lent; `None` when none is complete.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Frame<'_>> {
        let end = self.settle(now)?;
        let taken = self.buffer.take(end, &mut self.frame)?;
        self.settled = true;
        self.hold = None;
        let key_frame = self.config.codec.is_key_frame(&self.frame);
        self.stats.frames += 1;
        if self.config.codec.has_key_frames() {
            if key_frame {
                self.stats.key_frames += 1;
                self.had_key_frame = true;
                self.key_frame_due = None;
            } else if !self.had_key_frame {
                self.request_key_frame(now);
            }
        }
        Some(Frame {
            data: &self.frame,
            timestamp: taken.timestamp,
            key_frame,
            contiguous: !core::mem::take(&mut self.gap),
            first_sequence_number: taken.first as u16,
            last_sequence_number: taken.last as u16,
            received_at: taken.arrived,
        })
    }

    /// Writes the sequence numbers to ask for now to the front of `out`, in order, and returns how many they are.
    /// Each call that returns numbers stands for one NACK; call again until it returns 0.
    pub fn poll_nack(&mut self, now: Instant, out: &mut [u16]) -> usize {
        let count = self.losses.request(now, self.rtt, out);
        self.stats.nacks += u64::from(count > 0);
        count
    }

    /// Whether to ask for a key frame (by PLI or FIR) now. While one is wanted, it says so once in half a second or
    /// in two round trips, whichever is longer.
    pub fn poll_key_frame_request(&mut self, now: Instant) -> bool {
        if self.key_frame_due.is_none_or(|due| now < due) {
            return false;
        }
        self.key_frame_asked = Some(now);
        self.key_frame_due = Some(now + self.key_frame_pause());
        self.stats.key_frame_requests += 1;
        true
    }

    /// The report on this stream; `None` before the first packet. Its fraction of lost packets is that of the
    /// time since the last call, so call it once for each report that is sent.
    pub fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let report = self.reception.report(now)?;
        Some(ReportBlock {
            ssrc: self.config.ssrc,
            ..report
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) and the `poll_*` methods have something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.losses.give_up_at(),
            self.losses.next_request_at(),
            self.key_frame_due,
            self.hold,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A packet that did not come before, by whichever way, goes into the ring.
    fn accepted(&mut self, now: Instant, index: u64, packet: &Packet<'_>) {
        self.stats.packets += 1;
        self.stats.payload_bytes += packet.payload().len() as u64;
        self.stats.header_bytes += (packet.header_len() + usize::from(packet.padding_len())) as u64;
        if self.make_room(now, index) {
            let content = self.store(now, index, packet);
            if content == Content::Continuation {
                self.miss_beginning(now, index);
            }
        } else {
            self.stats.late += 1;
        }
    }

    /// The unwrapped number of a packet, unless it must be ignored.
    fn index(&mut self, now: Instant, number: u16) -> Option<u64> {
        let Some(highest) = self.numbers.highest() else {
            self.hold = Some(now + self.config.reorder_delay);
            self.buffer.restart(number.into());
            return Some(self.numbers.unroll(number));
        };
        let index = self.numbers.peek(number);
        let far = is_far(index, highest)
            // it lies before the first one, where the unroller saturates
            || index as u16 != number;
        if far {
            if self.probation != Some(number) {
                self.probation = Some(number.wrapping_add(1));
                self.stats.late += 1;
                return None;
            }
            self.restart(now, number);
        }
        self.probation = None;
        Some(self.numbers.unroll(number))
    }

    /// Forgets everything about the packets so far; `number` is the first of a new series.
    fn restart(&mut self, now: Instant, number: u16) {
        self.numbers = Unroller::default();
        self.numbers.unroll(number);
        self.probation = None;
        self.window = ReplayWindow::default();
        self.buffer.restart(number.into());
        self.losses.clear();
        self.reception = Reception::default();
        self.settled = false;
        self.hold = Some(now + self.config.reorder_delay);
        self.gap = true;
        self.had_key_frame = false;
        self.stats.restarts += 1;
        self.request_key_frame(now);
    }

    /// Makes the ring hold `index`. Returns false when it was given up, or handed out, before.
    fn make_room(&mut self, now: Instant, index: u64) -> bool {
        let (next, end) = (self.buffer.next(), self.buffer.end());
        if index < next {
            let possible = !self.settled
                && next - index <= MAX_STEP_BACK
                && end - index <= self.buffer.capacity();
            if possible {
                self.losses.overtaken_before(now, index + 1, next);
                self.buffer.step_back(index);
            }
            return possible;
        }
        if index - next >= self.buffer.capacity() {
            self.skip(now, index + 1 - self.buffer.capacity());
        }
        let end = self.buffer.end();
        if index > end {
            self.losses.overtaken(now, end, index);
        }
        true
    }

    /// The stream seems to begin with `index`, in the middle of a frame: the packet before was lost, or overtaken, and
    /// can be asked for like any other. Without this the first picture, which all others need, is gone with its
    /// first packet. A stream that was joined in its middle pays with waiting for what nobody has any more.
    fn miss_beginning(&mut self, now: Instant, index: u64) {
        let possible = self.config.nack
            && !self.settled
            && index == self.buffer.next()
            && index > 0
            && self.buffer.end() - index < self.buffer.capacity();
        if possible {
            self.losses.overtaken_before(now, index - 1, index);
            self.buffer.step_back(index - 1);
        }
    }

    /// Puts a packet into the ring, and says what it is for the frame around it.
    fn store(&mut self, now: Instant, index: u64, packet: &Packet<'_>) -> Content {
        if self.losses.arrived(index).is_some_and(|tries| tries > 0) {
            self.stats.repaired += 1;
        }
        let damaged = Part {
            timestamp: packet.timestamp(),
            marker: packet.marker(),
            content: Content::Damaged,
            data: &[],
        };
        let part = if packet.payload().is_empty() {
            Part {
                content: Content::Nothing,
                ..damaged
            }
        } else {
            match self.config.codec.depacketize(packet.payload()) {
                Ok(fragment) => Part {
                    content: if fragment.starts_frame {
                        Content::Start
                    } else {
                        Content::Continuation
                    },
                    data: fragment.data,
                    ..damaged
                },
                Err(_) => damaged,
            }
        };
        let stored = part.content != Content::Damaged && self.buffer.insert(now, index, part);
        if stored {
            return part.content;
        }
        self.stats.malformed += 1;
        self.buffer.insert(now, index, damaged);
        Content::Damaged
    }

    /// Skips what is useless or overdue. Returns where the frame at the front of the ring ends, if it is whole.
    fn settle(&mut self, now: Instant) -> Option<u64> {
        self.hold = self.hold.filter(|&at| now < at && !self.settled);
        loop {
            let (codec, max_frame) = (self.config.codec, self.config.max_frame);
            match self.buffer.front(codec, max_frame) {
                Front::Frame(end) => return Some(end),
                Front::Waiting => return None,
                Front::Useless(_) if self.hold.is_some() => return None,
                Front::Useless(end) => self.skip(now, end),
                Front::Missing(index) => {
                    if self.losses.give_up_at().is_some_and(|at| now < at) {
                        return None;
                    }
                    self.skip(now, index + 1);
                }
            }
        }
    }

    /// Gives up everything before `index`.
    fn skip(&mut self, now: Instant, index: u64) {
        self.buffer.advance(index);
        self.losses.forget_before(index);
        self.settled = true;
        self.hold = None;
        if !self.gap {
            self.gap = true;
            self.stats.skips += 1;
        }
        self.request_key_frame(now);
    }

    fn key_frame_pause(&self) -> Duration {
        KEY_FRAME_PAUSE.max(self.rtt * 2)
    }
}

/// Whether a packet lies further from the highest than any network explains.
fn is_far(index: u64, highest: u64) -> bool {
    index.abs_diff(highest) > MAX_DROPOUT
}
