//! What stands before and after a payload on its way: the driver puts it there, or hands it to the kernel beside the
//! payload, so that nobody copies the payload for it.

use core::fmt;
use core::net::SocketAddr;

use rtckit_proto::Transport;
use rtckit_stun::{AttributeType, Class, MessageWriter, Method, TransactionId};

use crate::channel_data::{ChannelData, ChannelNumber};

/// The longest header: an indication's with the address of an IPv6 peer.
pub const MAX_HEADER_LEN: usize = 20 + 24 + 4;

/// The bytes before a payload, and how many zeros follow it.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: [u8; MAX_HEADER_LEN],
    len: u8,
    padding: u8,
}

impl Envelope {
    /// For ChannelData of `len` bytes; `None` when they are too many.
    pub(crate) fn channel_data(
        channel: ChannelNumber,
        len: usize,
        transport: Transport,
    ) -> Option<Self> {
        let mut bytes = [0; MAX_HEADER_LEN];
        let header = ChannelData::header(channel, len)?;
        *bytes.first_chunk_mut()? = header;
        Some(Self {
            bytes,
            len: header.len() as u8,
            padding: match transport {
                // RFC 8656 §12.5: over UDP it is not required
                Transport::Udp => 0,
                _ => padding(len),
            },
        })
    }

    /// For a Send or Data indication with `len` bytes; `None` when they are too many.
    pub(crate) fn indication(
        method: Method,
        id: TransactionId,
        peer: SocketAddr,
        len: usize,
    ) -> Option<Self> {
        let mut bytes = [0; MAX_HEADER_LEN];
        let mut writer = MessageWriter::new(&mut bytes, Class::Indication, method, id).ok()?;
        writer.xor_peer_address(peer).ok()?;
        writer.attribute_header(AttributeType::DATA, len).ok()?;
        let header_len = writer.finish();
        Some(Self {
            bytes,
            len: header_len as u8,
            padding: padding(len),
        })
    }

    /// What stands before the payload.
    pub fn header(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }

    /// How many zeros follow the payload: 0 to 3.
    pub const fn padding(&self) -> usize {
        self.padding as usize
    }

    /// How long the whole is around `len` bytes of payload.
    pub fn wrapped_len(&self, len: usize) -> usize {
        self.header().len() + len + self.padding()
    }

    /// Copies header, `payload` and padding into `buf`, and returns the length; `None` when `buf` is too small.
    pub fn wrap(&self, payload: &[u8], buf: &mut [u8]) -> Option<usize> {
        let len = self.wrapped_len(payload.len());
        let (header, rest) = buf.get_mut(..len)?.split_at_mut(self.header().len());
        header.copy_from_slice(self.header());
        let (body, padding) = rest.split_at_mut(payload.len());
        body.copy_from_slice(payload);
        padding.fill(0);
        Some(len)
    }
}

const fn padding(len: usize) -> u8 {
    (len.next_multiple_of(4) - len) as u8
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} + {} bytes)", self.len, self.padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_stun::Message;

    #[test]
    fn an_indication_is_what_a_writer_writes() {
        let id = TransactionId([5; 12]);
        for peer in ["192.0.2.9:5000", "[2001:db8::9]:5000"] {
            let peer = peer.parse().unwrap();
            for len in 0..9 {
                let payload = &[7; 9][..len];
                let envelope = Envelope::indication(Method::DATA, id, peer, len).unwrap();
                let mut buf = [0xa5; 80];
                let wrapped = envelope.wrap(payload, &mut buf).unwrap();
                let message = Message::parse(&buf[..wrapped]).unwrap();
                assert_eq!(message.data(), Some(payload));
                assert_eq!(message.xor_peer_address(), Some(peer));
                assert!(envelope.wrap(payload, &mut buf[..wrapped - 1]).is_none());
            }
        }
        let peer = "192.0.2.9:5000".parse().unwrap();
        assert!(Envelope::indication(Method::DATA, id, peer, 65_520).is_none());
    }

    #[test]
    fn channel_data_is_padded_on_streams_alone() {
        let channel = ChannelNumber::MIN;
        let on = |transport, len| {
            let envelope = Envelope::channel_data(channel, len, transport).unwrap();
            (envelope.header().len(), envelope.padding())
        };
        assert_eq!(on(Transport::Udp, 5), (4, 0));
        assert_eq!(on(Transport::Tcp, 5), (4, 3));
        assert_eq!(on(Transport::Tls, 8), (4, 0));
    }
}
