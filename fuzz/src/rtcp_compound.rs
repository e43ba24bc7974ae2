//! Compound RTCP packets.

use rtckit_rtp::rtcp::{self, Compound, RtcpPacket};

/// Every packet of a compound that parses is written again and reads as the same.
pub fn target(data: &[u8]) {
    let _ = rtcp::is_rtcp(data);
    let parsed = rtcp::packets(data);
    let mut count = 0;
    for packet in parsed {
        count += 1;
        assert!(count <= data.len() / 4 + 1, "a packet has four bytes");
        let Ok(packet) = packet else {
            break;
        };
        let _ = format!("{packet:?}");
        let mut buf = vec![0xa5; 2 * data.len() + 64];
        let mut compound = Compound::new(&mut buf);
        if write(&mut compound, &packet).is_none() {
            continue;
        }
        let len = compound.len();
        let mut again = rtcp::packets(&buf[..len]);
        let first = again
            .next()
            .expect("a packet was written")
            .expect("what was written is a packet");
        assert!(same(&packet, &first), "{packet:?} became {first:?}");
    }
}

/// Writes `packet`, if this crate's writer has a word for it.
fn write(compound: &mut Compound<'_>, packet: &RtcpPacket<'_>) -> Option<()> {
    let written = match packet {
        RtcpPacket::SenderReport(report) => {
            let reports: Vec<_> = report.reports.into_iter().collect();
            compound.sender_report(&report.sender, &reports)
        }
        RtcpPacket::ReceiverReport(report) => {
            let reports: Vec<_> = report.reports.into_iter().collect();
            compound.receiver_report(report.ssrc, &reports)
        }
        RtcpPacket::SourceDescription(description) => {
            let _ = description.items().count();
            let (ssrc, cname) = description.cname()?;
            compound.cname(ssrc, core::str::from_utf8(cname).ok()?)
        }
        RtcpPacket::Goodbye(goodbye) => {
            let sources: Vec<_> = goodbye.sources().collect();
            compound.goodbye(&sources, core::str::from_utf8(goodbye.reason).ok()?)
        }
        RtcpPacket::Nack(nack) => {
            // 17 numbers an entry: the writer may need more entries when they are not in order
            let numbers: Vec<_> = nack.sequence_numbers().take(200).collect();
            if numbers.is_empty() {
                return None;
            }
            compound.nack(nack.sender, nack.media, numbers)
        }
        RtcpPacket::PictureLossIndication(pli) => {
            compound.picture_loss_indication(pli.sender, pli.media)
        }
        RtcpPacket::FullIntraRequest(fir) => {
            let entries: Vec<_> = fir.entries().collect();
            compound.full_intra_request(fir.sender, &entries)
        }
        RtcpPacket::Unknown(unknown) => {
            compound.raw(unknown.packet_type, unknown.count, unknown.body)
        }
        _ => return None,
    };
    written.ok()
}

/// Whether both say the same, as far as the writer carries it.
fn same(left: &RtcpPacket<'_>, right: &RtcpPacket<'_>) -> bool {
    match (left, right) {
        (RtcpPacket::SenderReport(left), RtcpPacket::SenderReport(right)) => {
            left.sender == right.sender && left.reports.into_iter().eq(right.reports)
        }
        (RtcpPacket::ReceiverReport(left), RtcpPacket::ReceiverReport(right)) => {
            left.ssrc == right.ssrc && left.reports.into_iter().eq(right.reports)
        }
        (RtcpPacket::SourceDescription(left), RtcpPacket::SourceDescription(right)) => {
            left.cname() == right.cname()
        }
        (RtcpPacket::Goodbye(left), RtcpPacket::Goodbye(right)) => {
            left.sources().eq(right.sources()) && left.reason == right.reason
        }
        (RtcpPacket::Nack(left), RtcpPacket::Nack(right)) => {
            let all = |nack: &rtcp::Nack<'_>| -> std::collections::BTreeSet<u16> {
                nack.sequence_numbers().take(200).collect()
            };
            (left.sender, left.media) == (right.sender, right.media) && all(left) == all(right)
        }
        (RtcpPacket::FullIntraRequest(left), RtcpPacket::FullIntraRequest(right)) => {
            left.sender == right.sender && left.entries().eq(right.entries())
        }
        (left, right) => left == right,
    }
}
