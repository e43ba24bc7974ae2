//! Sender and receiver reports ([RFC 3550 §6.4](https://www.rfc-editor.org/rfc/rfc3550#section-6.4)).
//!
//! ```text
//! |                         SSRC of sender                        |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |              NTP timestamp, most significant word             |  SR only
//! |             NTP timestamp, least significant word             |
//! |                         RTP timestamp                         |
//! |                     sender's packet count                     |
//! |                      sender's octet count                     |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                 SSRC of the source reported on                |  0 to 31
//! | fraction lost |       cumulative number of packets lost       |  blocks
//! |           extended highest sequence number received           |
//! |                      interarrival jitter                      |
//! |                         last SR (LSR)                         |
//! |                   delay since last SR (DLSR)                  |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use rtckit_proto::{CursorError, NtpTime, Reader, Writer};

use crate::{ParseError, Ssrc};

const BLOCK_LEN: usize = 24;

/// What a sender says about its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// The sender.
    pub ssrc: Ssrc,
    /// The wall clock when this was written.
    pub ntp: NtpTime,
    /// The same instant on the clock of the stream's timestamps.
    pub rtp_timestamp: u32,
    /// How many packets it has sent.
    pub packet_count: u32,
    /// How many bytes of payload it has sent: no headers, no padding.
    pub octet_count: u32,
}

impl SenderInfo {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CursorError> {
        Ok(Self {
            ssrc: Ssrc(reader.u32()?),
            ntp: NtpTime(reader.u64()?),
            rtp_timestamp: reader.u32()?,
            packet_count: reader.u32()?,
            octet_count: reader.u32()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u32(self.ssrc.0)?;
        writer.u64(self.ntp.0)?;
        writer.u32(self.rtp_timestamp)?;
        writer.u32(self.packet_count)?;
        writer.u32(self.octet_count)
    }
}

/// What a receiver says about one stream it receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// The part of the packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// How many packets have been lost since the beginning; negative when more came than were expected.
    /// 24 bits on the wire, where it saturates.
    pub cumulative_lost: i32,
    /// The highest sequence number received, and how often it has wrapped in the upper 16 bits.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks of the stream's clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP timestamp; 0 when there was none.
    pub last_sr: u32,
    /// The time since that report came, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// The values `cumulative_lost` can take on the wire.
    pub(crate) const LOST: core::ops::RangeInclusive<i32> = -0x80_0000..=0x7f_ffff;

    fn read(reader: &mut Reader<'_>) -> Result<Self, CursorError> {
        Ok(Self {
            ssrc: Ssrc(reader.u32()?),
            fraction_lost: reader.u8()?,
            // the sign bit is the 24th
            cumulative_lost: (reader.u24()? << 8) as i32 >> 8,
            highest_sequence: reader.u32()?,
            jitter: reader.u32()?,
            last_sr: reader.u32()?,
            delay_since_last_sr: reader.u32()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u32(self.ssrc.0)?;
        writer.u8(self.fraction_lost)?;
        let lost = self
            .cumulative_lost
            .clamp(*Self::LOST.start(), *Self::LOST.end());
        writer.u24(lost as u32)?;
        writer.u32(self.highest_sequence)?;
        writer.u32(self.jitter)?;
        writer.u32(self.last_sr)?;
        writer.u32(self.delay_since_last_sr)
    }
}

/// The report blocks of a packet, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlocks<'a> {
    bytes: &'a [u8],
}

impl<'a> ReportBlocks<'a> {
    /// Cuts `count` blocks off `reader`. What follows them is a profile's extension, which is ignored.
    fn read(count: u8, reader: &mut Reader<'a>) -> Result<Self, CursorError> {
        let bytes = reader.take(usize::from(count) * BLOCK_LEN)?;
        Ok(Self { bytes })
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.bytes.split_at_checked(BLOCK_LEN)?;
        self.bytes = rest;
        ReportBlock::read(&mut Reader::new(block)).ok()
    }
}

/// SR: a sender's statistics and its reports on what it receives
/// ([RFC 3550 §6.4.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// About its own stream.
    pub sender: SenderInfo,
    /// About the streams it receives.
    pub reports: ReportBlocks<'a>,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender: SenderInfo::read(&mut reader)?,
            reports: ReportBlocks::read(count, &mut reader)?,
        })
    }
}

/// RR: reports of one that sends nothing
/// ([RFC 3550 §6.4.2](https://www.rfc-editor.org/rfc/rfc3550#section-6.4.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: Ssrc,
    /// About the streams it receives.
    pub reports: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            ssrc: Ssrc(reader.u32()?),
            reports: ReportBlocks::read(count, &mut reader)?,
        })
    }
}
