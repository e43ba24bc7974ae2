//! Writing a compound packet ([RFC 3550 §6.1](https://www.rfc-editor.org/rfc/rfc3550#section-6.1)).

use rtckit_proto::Writer;

use super::{
    COUNT, FirEntry, HEADER_LEN, ReportBlock, SenderInfo, feedback, goodbye, packet_type,
    source_description,
};
use crate::{Error, Ssrc};

/// Writes RTCP packets one behind the other into one datagram.
///
/// A packet that does not fit, or whose values do not, leaves the datagram as it was. The order is the
/// caller's: a full compound starts with a report and a CNAME; a reduced-size one
/// ([RFC 5506](https://www.rfc-editor.org/rfc/rfc5506)) need not.
///
/// ```
/// use rtckit_rtp::Ssrc;
/// use rtckit_rtp::rtcp::{self, Compound, RtcpPacket};
///
/// let mut buf = [0; 256];
/// let mut compound = Compound::new(&mut buf);
/// compound.receiver_report(Ssrc(1), &[])?;
/// compound.cname(Ssrc(1), "me")?;
/// compound.nack(Ssrc(1), Ssrc(2), [7, 9])?;
/// let len = compound.len();
///
/// let Some(Ok(RtcpPacket::Nack(nack))) = rtcp::packets(&buf[..len]).nth(2) else { panic!() };
/// assert!(nack.sequence_numbers().eq([7, 9]));
/// # Ok::<(), rtckit_rtp::Error>(())
/// ```
#[derive(Debug)]
pub struct Compound<'b> {
    buf: &'b mut [u8],
    len: usize,
}

impl<'b> Compound<'b> {
    /// An empty datagram that may fill `buf`.
    pub fn new(buf: &'b mut [u8]) -> Self {
        Self { buf, len: 0 }
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an SR with up to 31 report blocks.
    pub fn sender_report(
        &mut self,
        sender: &SenderInfo,
        reports: &[ReportBlock],
    ) -> Result<(), Error> {
        self.packet(packet_type::SENDER_REPORT, reports.len(), |writer| {
            sender.write(writer)?;
            Ok(reports.iter().try_for_each(|report| report.write(writer))?)
        })
    }

    /// Adds an RR with up to 31 report blocks.
    pub fn receiver_report(&mut self, ssrc: Ssrc, reports: &[ReportBlock]) -> Result<(), Error> {
        self.packet(packet_type::RECEIVER_REPORT, reports.len(), |writer| {
            writer.u32(ssrc.0)?;
            Ok(reports.iter().try_for_each(|report| report.write(writer))?)
        })
    }

    /// Adds an SDES with the canonical name of `ssrc`: up to 255 bytes.
    pub fn cname(&mut self, ssrc: Ssrc, cname: &str) -> Result<(), Error> {
        self.packet(packet_type::SOURCE_DESCRIPTION, 1, |writer| {
            source_description::write_cname(ssrc, cname, writer)
        })
    }

    /// Adds a BYE of up to 31 sources, with a reason of up to 255 bytes unless it is empty.
    pub fn goodbye(&mut self, sources: &[Ssrc], reason: &str) -> Result<(), Error> {
        self.packet(packet_type::GOODBYE, sources.len(), |writer| {
            goodbye::write(sources, reason, writer)
        })
    }

    /// Adds a generic NACK. Ascending numbers (which may wrap) make the fewest entries; of no numbers it
    /// makes no packet.
    pub fn nack(
        &mut self,
        sender: Ssrc,
        media: Ssrc,
        sequence_numbers: impl IntoIterator<Item = u16>,
    ) -> Result<(), Error> {
        let before = self.len;
        let mut any = false;
        self.packet(
            packet_type::TRANSPORT_FEEDBACK,
            feedback::NACK.into(),
            |writer| {
                any = feedback::write_nack(sender, media, sequence_numbers, writer)?;
                Ok(())
            },
        )?;
        if !any {
            self.len = before;
        }
        Ok(())
    }

    /// Adds a PLI.
    pub fn picture_loss_indication(&mut self, sender: Ssrc, media: Ssrc) -> Result<(), Error> {
        self.packet(
            packet_type::PAYLOAD_FEEDBACK,
            feedback::PLI.into(),
            |writer| Ok(feedback::write_ssrcs(sender, media, writer)?),
        )
    }

    /// Adds a FIR.
    pub fn full_intra_request(&mut self, sender: Ssrc, entries: &[FirEntry]) -> Result<(), Error> {
        self.packet(
            packet_type::PAYLOAD_FEEDBACK,
            feedback::FIR.into(),
            |writer| Ok(feedback::write_fir(sender, entries, writer)?),
        )
    }

    /// Adds a packet of any type: the way for formats this crate does not know. `body` must be whole words.
    pub fn raw(&mut self, packet_type: u8, count: u8, body: &[u8]) -> Result<(), Error> {
        if !body.len().is_multiple_of(4) {
            return Err(Error::OutOfRange("RTCP body: whole 32-bit words"));
        }
        self.packet(packet_type, count.into(), |writer| Ok(writer.bytes(body)?))
    }

    /// Writes a header and, through `body`, what follows it; commits the packet when both went well.
    fn packet(
        &mut self,
        packet_type: u8,
        count: usize,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if count > COUNT.into() {
            return Err(Error::OutOfRange("RTCP count: 31"));
        }
        let room = self.buf.get_mut(self.len..).ok_or(Error::BufferTooSmall)?;
        let mut writer = Writer::new(room);
        writer.u8(2 << 6 | count as u8)?;
        writer.u8(packet_type)?;
        writer.u16(0)?;
        body(&mut writer)?;
        let len = writer.len();
        let words = u16::try_from((len - HEADER_LEN) / 4)
            .map_err(|_| Error::OutOfRange("RTCP length: 65535 words"))?;
        if let Some(length) = writer.written_mut().get_mut(2..HEADER_LEN) {
            length.copy_from_slice(&words.to_be_bytes());
        }
        self.len += len;
        Ok(())
    }
}
