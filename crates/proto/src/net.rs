//! Datagrams as they arrive and leave, and the path they take.

use core::fmt;
use core::net::SocketAddr;
use core::ops::Range;

/// How the bytes of a path travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Datagrams over UDP.
    Udp,
    /// A stream over TCP, framed by the protocol that owns it.
    Tcp,
    /// A stream over TLS over TCP.
    Tls,
}

/// A path: transport, local address and remote address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// How the bytes travel.
    pub transport: Transport,
    /// The address this side sends from and receives at.
    pub local: SocketAddr,
    /// The address of the other side.
    pub remote: SocketAddr,
}

impl FiveTuple {
    /// The path of UDP datagrams between `local` and `remote`.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            local,
            remote,
        }
    }

    /// The same path seen from the other side.
    pub const fn reversed(self) -> Self {
        Self {
            transport: self.transport,
            local: self.remote,
            remote: self.local,
        }
    }
}

impl fmt::Debug for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} -> {}", self.transport, self.local, self.remote)
    }
}

/// The two ECN bits of the IP header ([RFC 3168 §5](https://www.rfc-editor.org/rfc/rfc3168#section-5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Ecn {
    /// The transport does not take part.
    #[default]
    NotCapable,
    /// ECT(1), which L4S senders use.
    Capable1,
    /// ECT(0).
    Capable0,
    /// A router met congestion.
    CongestionExperienced,
}

/// Bytes that arrived, lent by the driver to be opened in place.
///
/// One read of a socket with receive offload returns a *run*: several datagrams of `stride` bytes each (the
/// last may be shorter) from one sender. Machines that gain by it take the run whole, the others walk
/// [`segments`](Self::segments).
#[derive(Debug)]
pub struct Datagram<'d> {
    /// Where the bytes came in (`local`) and from (`remote`).
    pub path: FiveTuple,
    /// The ECN bits of the IP header.
    pub ecn: Ecn,
    /// The bytes.
    pub data: &'d mut [u8],
    /// The length of each datagram of the run but the last; `data.len()` when there is just one.
    pub stride: usize,
}

impl<'d> Datagram<'d> {
    /// A single datagram.
    pub fn new(path: FiveTuple, data: &'d mut [u8]) -> Self {
        let stride = data.len();
        Self {
            path,
            ecn: Ecn::NotCapable,
            data,
            stride,
        }
    }

    /// Each datagram of the run on its own, in the order of arrival.
    ///
    /// An empty run has none: a datagram of no bytes, which UDP allows, means nothing in any protocol here and is
    /// nobody's to count.
    pub fn segments(self) -> impl Iterator<Item = Datagram<'d>> {
        let (path, ecn) = (self.path, self.ecn);
        self.data
            .chunks_mut(self.stride.max(1))
            .map(move |data| Datagram {
                path,
                ecn,
                stride: data.len(),
                data,
            })
    }
}

/// Where the bytes go that `poll_transmit` has just written into the caller's buffer.
///
/// It carries no bytes: they are `buf[range]`. When `segment_size` is set the range holds several datagrams
/// of that length (the last may be shorter) for one path, fit for a single send with segmentation offload.
#[must_use = "the bytes are lost unless they are sent"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Which address to send from (`local`) and to (`remote`).
    pub path: FiveTuple,
    /// Where in the buffer the bytes are.
    pub range: Range<usize>,
    /// The ECN bits to set.
    pub ecn: Ecn,
    /// The length of each datagram but the last, when there are several.
    pub segment_size: Option<usize>,
}

impl Transmit {
    /// One datagram that fills the first `len` bytes of the buffer.
    pub const fn new(path: FiveTuple, len: usize) -> Self {
        Self {
            path,
            range: 0..len,
            ecn: Ecn::NotCapable,
            segment_size: None,
        }
    }

    /// The datagrams, in order: slices of `buf`, which is the buffer `poll_transmit` wrote into.
    pub fn segments<'b>(&self, buf: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
        let run = buf.get(self.range.clone()).unwrap_or_default();
        run.chunks(self.segment_size.unwrap_or(run.len()).max(1))
    }
}

/// The most payloads one [`Received`] can name.
const MAX_RECEIVED: usize = 32;

/// What a pass-through layer opened: payloads that lie inside the datagram that was handed in.
///
/// It borrows the *input*, never the machine, so the machine can be used while the payloads are read. It holds
/// up to 32 payloads; a datagram with more (32 records of a few bytes each) loses the rest.
pub struct Received<'d> {
    data: &'d mut [u8],
    ranges: [(u32, u32); MAX_RECEIVED],
    count: usize,
}

impl<'d> Received<'d> {
    /// No payload yet.
    pub fn new(data: &'d mut [u8]) -> Self {
        Self {
            data,
            ranges: [(0, 0); MAX_RECEIVED],
            count: 0,
        }
    }

    /// Nothing was opened.
    pub fn none() -> Self {
        Self::new(&mut [])
    }

    /// The whole datagram while it is being opened.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.data
    }

    /// Adds the payload at `range`. Returns whether it fitted; a range outside the datagram does not.
    pub fn push(&mut self, range: Range<usize>) -> bool {
        let (Ok(start), Ok(end)) = (u32::try_from(range.start), u32::try_from(range.end)) else {
            return false;
        };
        if start > end || range.end > self.data.len() {
            return false;
        }
        let Some(slot) = self.ranges.get_mut(self.count) else {
            return false;
        };
        *slot = (start, end);
        self.count += 1;
        true
    }

    /// How many payloads there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing was opened.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The payloads, in the order they stood in the datagram.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.ranges
            .iter()
            .take(self.count)
            .filter_map(|&(start, end)| self.data.get(start as usize..end as usize))
    }

    /// The payload at `index`, to be opened further by the layer above.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let &(start, end) = self.ranges.get(..self.count)?.get(index)?;
        self.data.get_mut(start as usize..end as usize)
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(<[u8]>::len))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn path() -> FiveTuple {
        FiveTuple::udp(
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.1:2".parse().unwrap(),
        )
    }

    #[test]
    fn a_run_falls_into_segments() {
        let mut data = [1, 1, 1, 2, 2, 2, 3];
        let run = Datagram {
            path: path(),
            ecn: Ecn::Capable0,
            data: &mut data,
            stride: 3,
        };
        let segments: Vec<Vec<u8>> = run.segments().map(|d| d.data.to_vec()).collect();
        assert_eq!(segments, [&[1, 1, 1][..], &[2, 2, 2], &[3]]);
        assert_eq!(Datagram::new(path(), &mut []).segments().count(), 0);

        let transmit = Transmit {
            segment_size: Some(4),
            ..Transmit::new(path(), 6)
        };
        let segments: Vec<&[u8]> = transmit.segments(&[0, 1, 2, 3, 4, 5, 6, 7]).collect();
        assert_eq!(segments, [&[0, 1, 2, 3][..], &[4, 5]]);
        assert_eq!(
            Transmit::new(path(), 9).segments(&[0; 8]).count(),
            0,
            "a range outside the buffer is nothing"
        );
    }

    #[test]
    fn received_names_parts_of_the_input() {
        let mut data = [0, 1, 2, 3, 4, 5];
        let mut received = Received::new(&mut data);
        assert!(received.push(1..3) && received.push(4..6));
        assert!(!received.push(5..7), "outside the datagram");
        received.get_mut(0).unwrap()[0] = 9;
        assert_eq!(received.iter().collect::<Vec<_>>(), [&[9, 2][..], &[4, 5]]);
        assert!(received.get_mut(2).is_none());
        while received.push(0..0) {}
        assert_eq!(received.len(), MAX_RECEIVED);
    }
}
