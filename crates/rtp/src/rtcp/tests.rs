use std::vec::Vec;

use proptest::prelude::*;
use rtckit_proto::NtpTime;

use super::*;
use crate::{Error, Ssrc};

const REPORT: ReportBlock = ReportBlock {
    ssrc: Ssrc(0x0102_0304),
    fraction_lost: 0x40,
    cumulative_lost: -2,
    highest_sequence: 0x0001_0005,
    jitter: 7,
    last_sr: 0xaabb_ccdd,
    delay_since_last_sr: 0x1_0000,
};

const SENDER: SenderInfo = SenderInfo {
    ssrc: Ssrc(0xcafe_babe),
    ntp: NtpTime(0x1122_3344_5566_7788),
    rtp_timestamp: 90_000,
    packet_count: 3,
    octet_count: 400,
};

/// One compound of every packet this crate writes, written by hand from the diagrams.
#[rustfmt::skip]
const VECTOR: &[u8] = &[
    // SR, one report block
    0x81, 200, 0, 12, 0xca, 0xfe, 0xba, 0xbe,
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 1, 0x5f, 0x90, 0, 0, 0, 3, 0, 0, 1, 0x90,
    1, 2, 3, 4, 0x40, 0xff, 0xff, 0xfe, 0, 1, 0, 5, 0, 0, 0, 7, 0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 0, 0,
    // RR, no report block
    0x80, 201, 0, 1, 0, 0, 0, 1,
    // SDES, CNAME "ab": the zero that ends the items needs no further word
    0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, b'a', b'b', 0, 0, 0, 0,
    // SDES, CNAME "abcde"
    0x81, 202, 0, 3, 0, 0, 0, 1, 1, 5, b'a', b'b', b'c', b'd', b'e', 0,
    // NACK of 65535, 0, 15 (one entry) and 16 (another)
    0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0x80, 0x01, 0, 16, 0, 0,
    // PLI
    0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
    // FIR
    0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 9, 0, 0, 0,
    // XR, raw
    0x80, 207, 0, 1, 0, 0, 0, 1,
    // BYE with a reason
    0x81, 203, 0, 2, 0, 0, 0, 1, 3, b'e', b'n', b'd',
];

fn write_vector(buf: &mut [u8]) -> Result<usize, Error> {
    let mut compound = Compound::new(buf);
    compound.sender_report(&SENDER, &[REPORT])?;
    compound.receiver_report(Ssrc(1), &[])?;
    compound.cname(Ssrc(1), "ab")?;
    compound.cname(Ssrc(1), "abcde")?;
    compound.nack(Ssrc(1), Ssrc(2), [65_535, 0, 15, 16])?;
    compound.nack(Ssrc(1), Ssrc(2), [])?;
    compound.picture_loss_indication(Ssrc(1), Ssrc(2))?;
    let entry = FirEntry {
        ssrc: Ssrc(2),
        sequence_number: 9,
    };
    compound.full_intra_request(Ssrc(1), &[entry])?;
    compound.raw(207, 0, &[0, 0, 0, 1])?;
    compound.goodbye(&[Ssrc(1)], "end")?;
    Ok(compound.len())
}

#[test]
fn the_vector_is_emitted() {
    let mut buf = [0xa5; 512];
    let len = write_vector(&mut buf).unwrap();
    assert_eq!(&buf[..len], VECTOR);
    assert!(buf[len..].iter().all(|&byte| byte == 0xa5));
}

#[test]
fn the_vector_is_parsed() {
    let packets: Vec<_> = packets(VECTOR).map(Result::unwrap).collect();
    let [
        RtcpPacket::SenderReport(sr),
        RtcpPacket::ReceiverReport(rr),
        RtcpPacket::SourceDescription(short),
        RtcpPacket::SourceDescription(long),
        RtcpPacket::Nack(nack),
        RtcpPacket::PictureLossIndication(pli),
        RtcpPacket::FullIntraRequest(fir),
        RtcpPacket::Unknown(xr),
        RtcpPacket::Goodbye(bye),
    ] = packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!(sr.sender, SENDER);
    assert!(sr.reports.eq([REPORT]));
    assert_eq!((rr.ssrc, rr.reports.count()), (Ssrc(1), 0));
    assert_eq!(short.cname(), Some((Ssrc(1), &b"ab"[..])));
    assert_eq!(long.cname(), Some((Ssrc(1), &b"abcde"[..])));
    assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
    assert!(nack.sequence_numbers().eq([65_535, 0, 15, 16]));
    assert_eq!((pli.sender, pli.media), (Ssrc(1), Ssrc(2)));
    assert!(fir.entries().eq([FirEntry {
        ssrc: Ssrc(2),
        sequence_number: 9
    }]));
    assert_eq!((xr.packet_type, xr.body), (207, &[0, 0, 0, 1][..]));
    assert!(bye.sources().eq([Ssrc(1)]));
    assert_eq!(bye.reason, b"end");
}

#[test]
fn every_truncation_ends_in_an_error_and_no_more() {
    let mut starts = Vec::from([0]);
    while let Some(&start) = starts.last().filter(|&&start| start < VECTOR.len()) {
        let words = usize::from(VECTOR[start + 3]);
        starts.push(start + 4 + words * 4);
    }
    for len in 0..VECTOR.len() {
        let whole = starts.iter().filter(|&&end| end <= len).count() - 1;
        let (good, bad): (Vec<_>, Vec<_>) = packets(&VECTOR[..len]).partition(Result::is_ok);
        assert_eq!(good.len(), whole, "{len}");
        assert_eq!(bad.len(), usize::from(!starts.contains(&len)), "{len}");
        let mut buf = [0; 512];
        assert_eq!(write_vector(&mut buf[..len]), Err(Error::BufferTooSmall));
    }
}

#[test]
fn a_body_shorter_than_it_counts_is_an_error_and_the_next_packet_is_read() {
    for packet_type in [200, 201, 202, 203] {
        let mut bytes = Vec::from([0x9f, packet_type, 0, 1, 0, 0, 0, 1]);
        bytes.extend([0x80, 201, 0, 1, 0, 0, 0, 1]);
        let read: Vec<_> = packets(&bytes).collect();
        assert!(read[0].is_err(), "{packet_type}");
        assert!(matches!(read[1], Ok(RtcpPacket::ReceiverReport(_))));
    }
}

#[test]
fn padding_is_taken_off_or_refused() {
    let mut bytes = [0xa1, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
    let Some(Ok(RtcpPacket::Goodbye(bye))) = packets(&bytes).next() else {
        panic!();
    };
    assert_eq!((bye.sources().count(), bye.reason), (1, &b""[..]));
    for padding in [0, 9, 255] {
        bytes[11] = padding;
        assert!(packets(&bytes).next().unwrap().is_err(), "{padding}");
    }
}

#[test]
fn a_packet_that_does_not_fit_leaves_the_compound_as_it_was() {
    let mut buf = [0; 20];
    let mut compound = Compound::new(&mut buf);
    compound.receiver_report(Ssrc(1), &[]).unwrap();
    assert_eq!(
        compound.receiver_report(Ssrc(1), &[REPORT]),
        Err(Error::BufferTooSmall)
    );
    assert!(matches!(
        compound.goodbye(&[Ssrc(0); 32], ""),
        Err(Error::OutOfRange(_))
    ));
    assert_eq!(compound.len(), 8);
    compound.picture_loss_indication(Ssrc(1), Ssrc(2)).unwrap();
    assert_eq!(compound.len(), 20);
}

#[test]
fn rtcp_is_told_from_rtp_by_its_second_byte() {
    for byte in 0..=255 {
        let rtcp = (192..=223).contains(&byte);
        assert_eq!(is_rtcp(&[0x80, byte, 0, 0]), rtcp, "{byte}");
    }
    assert!(!is_rtcp(&[0x80]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reports_come_back(
        (ssrc, fraction_lost, cumulative_lost, highest_sequence, jitter, last_sr, delay)
            in (any::<u32>(), any::<u8>(), -0x80_0000i32..0x80_0000, any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()),
        count in 0usize..=31,
    ) {
        let report = ReportBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost,
            cumulative_lost,
            highest_sequence,
            jitter,
            last_sr,
            delay_since_last_sr: delay,
        };
        let mut buf = [0xa5; 800];
        let mut compound = Compound::new(&mut buf);
        compound.receiver_report(Ssrc(9), &[report; 31][..count]).unwrap();
        let len = compound.len();
        let Some(Ok(RtcpPacket::ReceiverReport(rr))) = packets(&buf[..len]).next() else { panic!() };
        prop_assert_eq!(rr.reports.count(), count);
        prop_assert!(rr.reports.into_iter().all(|read| read == report));
    }

    #[test]
    fn any_ascending_numbers_survive_a_nack(start in any::<u16>(), steps in prop::collection::vec(1u16..40, 1..100)) {
        let numbers: Vec<u16> = steps
            .iter()
            .scan(start, |number, step| {
                *number = number.wrapping_add(*step);
                Some(*number)
            })
            .collect();
        let mut buf = [0xa5; 800];
        let mut compound = Compound::new(&mut buf);
        compound.nack(Ssrc(1), Ssrc(2), numbers.iter().copied()).unwrap();
        let len = compound.len();
        let Some(Ok(RtcpPacket::Nack(nack))) = packets(&buf[..len]).next() else { panic!() };
        prop_assert!(nack.sequence_numbers().eq(numbers));
    }

    #[test]
    fn cname_and_reason_of_any_length_come_back(text in "[a-z]{0,255}") {
        let mut buf = [0xa5; 800];
        let mut compound = Compound::new(&mut buf);
        compound.cname(Ssrc(1), &text).unwrap();
        compound.goodbye(&[Ssrc(1), Ssrc(2)], &text).unwrap();
        let len = compound.len();
        prop_assert_eq!(len % 4, 0);
        let mut read = packets(&buf[..len]);
        let Some(Ok(RtcpPacket::SourceDescription(sdes))) = read.next() else { panic!() };
        let Some(Ok(RtcpPacket::Goodbye(bye))) = read.next() else { panic!() };
        prop_assert_eq!(sdes.cname().unwrap().1, text.as_bytes());
        prop_assert_eq!(bye.reason, text.as_bytes());
        prop_assert!(read.next().is_none());
    }

    #[test]
    fn no_bytes_make_the_parser_panic_or_spin(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 198u8..210, Just(0), Just(0x81)], 0..120),
    ) {
        let mut count = 0;
        for packet in packets(&bytes).flatten() {
            count += 1;
            match packet {
                RtcpPacket::SourceDescription(sdes) => prop_assert!(sdes.items().count() <= bytes.len()),
                RtcpPacket::Nack(nack) => prop_assert!(nack.sequence_numbers().count() <= 17 * bytes.len()),
                _ => {}
            }
        }
        prop_assert!(count <= bytes.len() / 4);
    }
}
