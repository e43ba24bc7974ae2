//! Capture files that Wireshark and tcpdump read.
//!
//! The classic format with microseconds, little-endian, link type RAW: each record begins with an IP header,
//! which is made up around the datagram together with the UDP header and both checksums.
//!
//! ```text
//!            0                   1                   2                   3
//!            0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!           +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!   file  0 |                    Magic number 0xa1b2c3d4                    |
//!         4 |        Version 2              |         Version .4            |
//!         8 |                    Reserved 0 (two words)                     |
//!        16 |                    Longest record kept                        |
//!        20 |                    Link type 101 (RAW)                        |
//!           +---------------------------------------------------------------+
//!   record  |                    Seconds                                    |
//!         4 |                    Microseconds                               |
//!         8 |                    Length kept                                |
//!        12 |                    Length on the wire                         |
//!           +---------------------------------------------------------------+
//! ```

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io::{self, Write};

use rtckit_proto::FiveTuple;

const MAGIC: u32 = 0xa1b2_c3d4;
const LINK_TYPE_RAW: u32 = 101;
const SNAP_LEN: u32 = 65_535;
const PROTOCOL_UDP: u8 = 17;
const HOP_LIMIT: u8 = 64;
const IPV4_HEADER_LEN: usize = 20;
const IPV6_HEADER_LEN: usize = 40;
const UDP_HEADER_LEN: usize = 8;
/// The longest payload an IPv4 packet has room for.
const MAX_PAYLOAD: usize = u16::MAX as usize - IPV4_HEADER_LEN - UDP_HEADER_LEN;

/// Writes datagrams as a capture file.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    /// The record being put together, reused.
    record: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture file.
    ///
    /// # Errors
    ///
    /// What `out` reports.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut header = Vec::with_capacity(24);
        header.extend(MAGIC.to_le_bytes());
        header.extend(2u16.to_le_bytes());
        header.extend(4u16.to_le_bytes());
        header.extend([0; 8]);
        header.extend(SNAP_LEN.to_le_bytes());
        header.extend(LINK_TYPE_RAW.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self {
            out,
            record: Vec::new(),
        })
    }

    /// Writes the datagram `data`, which its sender sent along `path` at `time` since 1970-01-01.
    ///
    /// Whatever the transport of the path, it is shown as UDP. When only one of the addresses is IPv4, it is
    /// shown as an IPv4-mapped IPv6 address.
    ///
    /// # Errors
    ///
    /// What the file reports, and [`io::ErrorKind::InvalidInput`] for a datagram that UDP cannot carry
    /// (more than 65507 bytes).
    pub fn write(&mut self, time: Duration, path: FiveTuple, data: &[u8]) -> io::Result<()> {
        if data.len() > MAX_PAYLOAD {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.record.clear();
        let ip_len = match (path.local.ip(), path.remote.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) => IPV4_HEADER_LEN,
            _ => IPV6_HEADER_LEN,
        };
        // the file's seconds end in 2106
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let len = (ip_len + UDP_HEADER_LEN + data.len()) as u32;
        for field in [seconds, time.subsec_micros(), len, len] {
            self.record.extend(field.to_le_bytes());
        }
        write_packet(&mut self.record, path.local, path.remote, data);
        self.out.write_all(&self.record)
    }

    /// Flushes the file and hands it back.
    ///
    /// # Errors
    ///
    /// What `out` reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Appends the IP packet from `source` to `target` around `data`, which UDP can carry.
fn write_packet(out: &mut Vec<u8>, source: SocketAddr, target: SocketAddr, data: &[u8]) {
    let udp_len = (UDP_HEADER_LEN + data.len()) as u16;
    let mut pseudo_header = Checksum::default();
    match (source.ip(), target.ip()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let mut header = [0; IPV4_HEADER_LEN];
            header[0] = 0x45;
            header[2..4].copy_from_slice(&(IPV4_HEADER_LEN as u16 + udp_len).to_be_bytes());
            header[6] = 0x40; // don't fragment
            header[8] = HOP_LIMIT;
            header[9] = PROTOCOL_UDP;
            header[12..16].copy_from_slice(&source.octets());
            header[16..20].copy_from_slice(&target.octets());
            let mut checksum = Checksum::default();
            checksum.add(&header);
            header[10..12].copy_from_slice(&checksum.finish().to_be_bytes());
            out.extend(header);
            pseudo_header.add(&header[12..20]);
        }
        (source, target) => {
            let (source, target) = (ipv6(source), ipv6(target));
            out.extend([0x60, 0, 0, 0]);
            out.extend(udp_len.to_be_bytes());
            out.extend([PROTOCOL_UDP, HOP_LIMIT]);
            out.extend(source.octets());
            out.extend(target.octets());
            pseudo_header.add(&source.octets());
            pseudo_header.add(&target.octets());
        }
    }
    let mut header = [0; UDP_HEADER_LEN];
    header[0..2].copy_from_slice(&source.port().to_be_bytes());
    header[2..4].copy_from_slice(&target.port().to_be_bytes());
    header[4..6].copy_from_slice(&udp_len.to_be_bytes());
    let mut checksum = pseudo_header;
    checksum.add(&[0, PROTOCOL_UDP]);
    checksum.add(&udp_len.to_be_bytes());
    checksum.add(&header);
    checksum.add(data);
    let checksum = match checksum.finish() {
        // on the wire 0 means "no checksum" (RFC 768)
        0 => 0xffff,
        checksum => checksum,
    };
    header[6..8].copy_from_slice(&checksum.to_be_bytes());
    out.extend(header);
    out.extend(data);
}

fn ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// The Internet checksum ([RFC 1071](https://www.rfc-editor.org/rfc/rfc1071)). Every part but the last must
/// have an even length.
#[derive(Clone, Copy, Default)]
struct Checksum(u64);

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            self.0 += u64::from(u16::from_be_bytes([pair[0], low]));
        }
    }

    fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(local: &str, remote: &str, data: &[u8]) -> Vec<u8> {
        let path = FiveTuple::udp(local.parse().unwrap(), remote.parse().unwrap());
        let mut writer = Writer::new(Vec::new()).unwrap();
        writer
            .write(Duration::new(3, 4_005_000), path, data)
            .unwrap();
        writer.finish().unwrap()
    }

    /// A packet is intact when its checksums, summed over with what they cover, give 0.
    fn assert_intact(ip: &[u8], ip_len: usize, addresses: core::ops::Range<usize>) {
        let mut sum = Checksum::default();
        sum.add(&ip[addresses]);
        sum.add(&[0, PROTOCOL_UDP]);
        sum.add(&ip[ip_len + 4..ip_len + 6]);
        sum.add(&ip[ip_len..]);
        assert_eq!(sum.finish(), 0, "UDP");
    }

    #[test]
    fn rfc_1071_example() {
        let mut sum = Checksum::default();
        sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    #[test]
    fn ipv4_record() {
        let file = capture("192.0.2.1:5000", "192.0.2.2:6000", b"abc");
        assert_eq!(file[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!(file[20..24], [101, 0, 0, 0]);
        assert_eq!(
            file[24..40],
            [3, 0, 0, 0, 0xa5, 0x0f, 0, 0, 31, 0, 0, 0, 31, 0, 0, 0]
        );
        let ip = &file[40..];
        assert_eq!((ip.len(), ip[0], ip[9]), (31, 0x45, 17));
        assert_eq!(ip[20..26], [0x13, 0x88, 0x17, 0x70, 0, 11]);
        assert_eq!(&ip[28..], b"abc");
        let mut sum = Checksum::default();
        sum.add(&ip[..20]);
        assert_eq!(sum.finish(), 0, "IPv4");
        assert_intact(ip, 20, 12..20);
    }

    #[test]
    fn ipv6_and_mixed_records() {
        for remote in ["[2001:db8::2]:6000", "192.0.2.2:6000"] {
            let file = capture("[2001:db8::1]:5000", remote, b"abcd");
            let ip = &file[40..];
            assert_eq!((ip.len(), ip[0], ip[6]), (52, 0x60, 17));
            assert_intact(ip, 40, 8..40);
        }
    }

    #[test]
    fn too_long_for_udp() {
        let path = FiveTuple::udp(
            "192.0.2.1:1".parse().unwrap(),
            "192.0.2.2:2".parse().unwrap(),
        );
        let mut writer = Writer::new(Vec::new()).unwrap();
        let error = writer
            .write(Duration::ZERO, path, &[0; 65_508])
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        writer.write(Duration::ZERO, path, &[0; 65_507]).unwrap();
    }
}
