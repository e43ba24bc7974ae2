//! RTCP: what receivers tell senders, and senders receivers
//! ([RFC 3550 §6](https://www.rfc-editor.org/rfc/rfc3550#section-6)).
//!
//! A datagram is a *compound* of packets. [`packets`] reads one; [`Compound`] writes one.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| count/  |  packet type  |  length in 32-bit words - 1   |
//! |     | format  |               |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              ....                             |
//! ```

mod compound;
mod feedback;
mod goodbye;
mod report;
mod source_description;

pub use compound::Compound;
pub use feedback::{FirEntry, FullIntraRequest, Nack, PictureLossIndication};
pub use goodbye::Goodbye;
pub use report::{ReceiverReport, ReportBlock, ReportBlocks, SenderInfo, SenderReport};
pub use source_description::{SourceDescription, SourceItem, SourceItems, item};

use crate::ParseError;

/// The packet types of the IANA registry that this module reads.
mod packet_type {
    pub(super) const SENDER_REPORT: u8 = 200;
    pub(super) const RECEIVER_REPORT: u8 = 201;
    pub(super) const SOURCE_DESCRIPTION: u8 = 202;
    pub(super) const GOODBYE: u8 = 203;
    /// Transport-layer feedback ([RFC 4585 §6.1](https://www.rfc-editor.org/rfc/rfc4585#section-6.1)).
    pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
    /// Payload-specific feedback.
    pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
}

/// The length of the common header in bytes.
const HEADER_LEN: usize = 4;
const PADDING: u8 = 0b0010_0000;
const COUNT: u8 = 0b0001_1111;

/// Whether a datagram that came in on a port shared by RTP and RTCP is RTCP
/// ([RFC 5761 §4](https://www.rfc-editor.org/rfc/rfc5761#section-4)): its second byte is 192 to 223.
///
/// It looks at nothing else; that the datagram is one of the two must already be known
/// ([RFC 7983](https://www.rfc-editor.org/rfc/rfc7983)).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [_, 192..=223, ..])
}

/// One packet of a compound, as a checked view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    SourceDescription(SourceDescription<'a>),
    /// BYE.
    Goodbye(Goodbye<'a>),
    /// Generic NACK.
    Nack(Nack<'a>),
    /// PLI.
    PictureLossIndication(PictureLossIndication),
    /// FIR.
    FullIntraRequest(FullIntraRequest<'a>),
    /// Any other packet: APP, XR, transport-wide feedback, REMB, or something newer.
    Unknown(Unknown<'a>),
}

/// A packet of a type or format that this crate does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown<'a> {
    /// The packet type, for example 207 for XR.
    pub packet_type: u8,
    /// The five bits that count, or name a feedback's format.
    pub count: u8,
    /// What follows the common header, without padding; a multiple of four bytes unless it was padded oddly.
    pub body: &'a [u8],
}

/// The packets of a compound, in order.
///
/// It is tolerant: an RTCP datagram need not start with a report
/// ([RFC 5506](https://www.rfc-editor.org/rfc/rfc5506)), and a packet that is broken inside is one `Err` while
/// the next is still read. Only a length that leaves the datagram ends it, after a last `Err`.
pub fn packets(datagram: &[u8]) -> Packets<'_> {
    Packets {
        datagram,
        position: 0,
    }
}

/// See [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    datagram: &'a [u8],
    position: usize,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position;
        let rest = self.datagram.get(start..).filter(|rest| !rest.is_empty())?;
        let Some((head, body)) = split_packet(rest) else {
            self.position = self.datagram.len();
            return Some(Err(ParseError::new(
                start,
                "a whole RTCP packet, version 2",
            )));
        };
        self.position = start + HEADER_LEN + body.len();
        let parsed = parse(head, body).map_err(|error| ParseError {
            position: start + HEADER_LEN + error.position,
            ..error
        });
        Some(parsed)
    }
}

/// The common header of the first packet in `bytes`, and its body as long as the header says.
fn split_packet(bytes: &[u8]) -> Option<([u8; HEADER_LEN], &[u8])> {
    let (&head, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let [first, _, l0, l1] = head;
    let len = usize::from(u16::from_be_bytes([l0, l1])) * 4;
    (first >> 6 == 2).then_some((head, rest.get(..len)?))
}

/// Reads one body. Positions in errors count from its start.
fn parse(head: [u8; HEADER_LEN], body: &[u8]) -> Result<RtcpPacket<'_>, ParseError> {
    let [first, packet_type, ..] = head;
    let count = first & COUNT;
    let body = if first & PADDING == 0 {
        body
    } else {
        without_padding(body)?
    };
    Ok(match (packet_type, count) {
        (packet_type::SENDER_REPORT, _) => {
            RtcpPacket::SenderReport(SenderReport::parse(count, body)?)
        }
        (packet_type::RECEIVER_REPORT, _) => {
            RtcpPacket::ReceiverReport(ReceiverReport::parse(count, body)?)
        }
        (packet_type::SOURCE_DESCRIPTION, _) => {
            RtcpPacket::SourceDescription(SourceDescription::parse(count, body)?)
        }
        (packet_type::GOODBYE, _) => RtcpPacket::Goodbye(Goodbye::parse(count, body)?),
        (packet_type::TRANSPORT_FEEDBACK, feedback::NACK) => RtcpPacket::Nack(Nack::parse(body)?),
        (packet_type::PAYLOAD_FEEDBACK, feedback::PLI) => {
            RtcpPacket::PictureLossIndication(PictureLossIndication::parse(body)?)
        }
        (packet_type::PAYLOAD_FEEDBACK, feedback::FIR) => {
            RtcpPacket::FullIntraRequest(FullIntraRequest::parse(body)?)
        }
        _ => RtcpPacket::Unknown(Unknown {
            packet_type,
            count,
            body,
        }),
    })
}

fn without_padding(body: &[u8]) -> Result<&[u8], ParseError> {
    let error = ParseError::new(
        body.len().saturating_sub(1),
        "a padding length of 1 up to the packet's",
    );
    let &padding = body.last().filter(|&&last| last != 0).ok_or(error)?;
    let len = body.len().checked_sub(padding.into()).ok_or(error)?;
    body.get(..len).ok_or(error)
}

#[cfg(test)]
mod tests;
