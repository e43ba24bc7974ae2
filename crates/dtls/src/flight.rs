//! The flight being sent: kept until the peer has answered it, cut into records as room allows
//! ([RFC 6347 §4.2.4](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4)).
//!
//! ```text
//!                     +-----------+
//!               +---> | PREPARING | <--------------------+
//!               |     +-----------+                      |
//!               |           | begin, push                |
//!               |          \|/                           |
//!               |     +-----------+                      |
//!               |     |  SENDING  |<------------------+  | the peer's next flight
//!               |     +-----------+                   |  |
//!  the peer's   |           | write until done        |  |
//!  next flight  |          \|/                        |  |
//!               |     +-----------+  timer, or the    |  |
//!               +-----|  WAITING  |-------------------+  |
//!                     +-----------+  peer repeats: rewind|
//!                           | last flight                |
//!                          \|/                           |
//!                     +-----------+                      |
//!                     | FINISHED  |--- the peer repeats: rewind, once for each repetition
//!                     +-----------+
//! ```

use core::ops::Range;

use rtckit_proto::{Reader, Writer};

use crate::handshake::{Body, FragmentHeader, HandshakeType};
use crate::record::{ContentType, RecordLayer, version};

/// A fragment shorter than this waits for the next datagram, unless it is the last of its message.
const MIN_FRAGMENT: usize = 32;

/// Messages to send, and how far sending them has come.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// The messages, each with the header of an unfragmented one.
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// Where sending stands: the item, and how much of its body is out.
    item: usize,
    offset: usize,
    next_message_seq: u16,
    /// The peer's message that this flight answers.
    reply_to: Option<u16>,
    /// Whether to repeat the flight until the peer answers.
    expects_reply: bool,
    is_repetition: bool,
    write_epoch: u16,
}

#[derive(Clone, Debug)]
enum Item {
    Message { bytes: Range<usize>, epoch: u16 },
    ChangeCipherSpec,
}

impl Flight {
    /// Forgets the flight before, which the peer has answered with `reply_to`.
    pub(crate) fn begin(&mut self, reply_to: Option<u16>, expects_reply: bool) {
        self.clear();
        self.reply_to = reply_to;
        self.expects_reply = expects_reply;
    }

    /// Nothing more to send or repeat.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        (self.item, self.offset) = (0, 0);
        self.is_repetition = false;
        self.reply_to = None;
        self.expects_reply = false;
    }

    /// Gives back the room that longer flights needed.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.items.shrink_to_fit();
    }

    /// Adds a message and returns it as the transcript wants it.
    pub(crate) fn push<'a, B: Body<'a>>(&mut self, body: &B) -> &[u8] {
        let start = self.bytes.len();
        let len = body.encoded_len();
        self.bytes.resize(start + FragmentHeader::LEN + len, 0);
        let bytes = self.bytes.get_mut(start..).unwrap_or_default();
        let header = FragmentHeader::whole(B::TYPE, self.next_message_seq, len as u32);
        let mut writer = Writer::new(bytes);
        let written = header
            .write(&mut writer)
            .and_then(|()| body.write(&mut writer));
        debug_assert!(written.is_ok() && writer.len() == FragmentHeader::LEN + len);
        self.next_message_seq = self.next_message_seq.wrapping_add(1);
        self.items.push(Item::Message {
            bytes: start..start + FragmentHeader::LEN + len,
            epoch: self.write_epoch,
        });
        bytes
    }

    /// From here on messages are protected.
    pub(crate) fn push_change_cipher_spec(&mut self) {
        self.items.push(Item::ChangeCipherSpec);
        self.write_epoch = 1;
    }

    /// The epoch of what comes after the messages pushed so far.
    pub(crate) fn write_epoch(&self) -> u16 {
        self.write_epoch
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.item < self.items.len()
    }

    pub(crate) fn expects_reply(&self) -> bool {
        self.expects_reply
    }

    pub(crate) fn is_repetition(&self) -> bool {
        self.is_repetition
    }

    /// Whether the peer, by repeating its message `message_seq`, shows that it has missed this flight, all of it sent.
    pub(crate) fn was_missed(&self, message_seq: u16) -> bool {
        self.is_reply_to(message_seq) && !self.is_pending()
    }

    /// Whether this flight was made in answer to the peer's message `message_seq`.
    pub(crate) fn is_reply_to(&self, message_seq: u16) -> bool {
        self.reply_to == Some(message_seq)
    }

    /// Starts over from the first message.
    pub(crate) fn rewind(&mut self) {
        (self.item, self.offset) = (0, 0);
        self.is_repetition = true;
    }

    /// The messages, for tests in which an end is to say something else than it would.
    #[cfg(test)]
    pub(crate) fn messages_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Fills `out`, one datagram, with as many records as fit. Returns how much of it was used.
    pub(crate) fn write(&mut self, records: &mut RecordLayer, out: &mut [u8]) -> usize {
        let mut written = 0;
        while let Some(item) = self.items.get(self.item) {
            let room = out.get_mut(written..).unwrap_or_default();
            let record = match item {
                Item::ChangeCipherSpec => write_change_cipher_spec(records, room),
                Item::Message { bytes, epoch } => {
                    let message = self.bytes.get(bytes.clone()).unwrap_or_default();
                    let is_first = written == 0;
                    write_fragment(records, room, message, self.offset, *epoch, is_first)
                }
            };
            let Some(record) = record else { break };
            written += record.len;
            match record.next_offset {
                Some(offset) => self.offset = offset,
                None => (self.item, self.offset) = (self.item + 1, 0),
            }
        }
        written
    }
}

/// What was written.
struct Record {
    len: usize,
    /// Where the message goes on; `None` when it is all out.
    next_offset: Option<usize>,
}

fn write_change_cipher_spec(records: &mut RecordLayer, out: &mut [u8]) -> Option<Record> {
    let (head, _) = RecordLayer::overhead(0);
    *out.get_mut(head)? = 1;
    let content_type = ContentType::CHANGE_CIPHER_SPEC;
    let len = records.seal(0, version::DTLS_1_2, content_type, out, 1);
    Some(Record {
        len: len.ok()?,
        next_offset: None,
    })
}

/// Writes as much of `message`, from `offset` of its body on, as fits into one record; `None` when that is not
/// worth a record.
fn write_fragment(
    records: &mut RecordLayer,
    out: &mut [u8],
    message: &[u8],
    offset: usize,
    epoch: u16,
    is_first: bool,
) -> Option<Record> {
    let (whole, body) = FragmentHeader::parse(&mut Reader::new(message)).ok()?;
    let rest = body.get(offset..)?;
    let (head, tail) = RecordLayer::overhead(epoch);
    let room = out.len().checked_sub(head + FragmentHeader::LEN + tail)?;
    let len = rest.len().min(room);
    let is_last = len == rest.len();
    if !is_last && (len == 0 || (len < MIN_FRAGMENT && !is_first)) {
        return None;
    }
    let header = FragmentHeader {
        fragment_offset: offset as u32,
        fragment_length: len as u32,
        ..whole
    };
    let mut writer = Writer::new(out.get_mut(head..)?);
    header.write(&mut writer).ok()?;
    writer.bytes(rest.get(..len)?).ok()?;
    // RFC 6347 §4.2.1: before the version is known, records say DTLS 1.0
    let version = match whole.message_type {
        HandshakeType::CLIENT_HELLO | HandshakeType::HELLO_VERIFY_REQUEST => version::DTLS_1_0,
        _ => version::DTLS_1_2,
    };
    let payload_len = FragmentHeader::LEN + len;
    let sealed = records.seal(epoch, version, ContentType::HANDSHAKE, out, payload_len);
    Some(Record {
        len: sealed.ok()?,
        next_offset: (!is_last).then_some(offset + len),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{Certificate, ServerHelloDone};
    use crate::reassembly::Reassembly;
    use crate::record::RecordHeader;

    /// Every record of a datagram goes into the reassembly.
    fn deliver(reassembly: &mut Reassembly, mut datagram: &[u8]) {
        while !datagram.is_empty() {
            let header = RecordHeader::parse(datagram).unwrap();
            let (record, rest) = datagram.split_at(RecordHeader::LEN + usize::from(header.length));
            let mut reader = Reader::new(&record[RecordHeader::LEN..]);
            let (header, fragment) = FragmentHeader::parse(&mut reader).unwrap();
            let _ = reassembly.insert(&header, fragment);
            datagram = rest;
        }
    }

    #[test]
    fn what_is_cut_up_comes_together() {
        let leaf = [7; 700];
        for mtu in [64, 128, 300, 739, 740, 1200] {
            let mut flight = Flight::default();
            flight.begin(None, true);
            let certificate = Certificate {
                leaf: Some(&leaf),
                issuers: &[],
            };
            let message = flight.push(&certificate).to_vec();
            flight.push(&ServerHelloDone);
            let mut records = RecordLayer::default();
            let mut reassembly = Reassembly::default();
            for repetition in [false, true] {
                assert_eq!(flight.is_repetition(), repetition);
                let mut datagrams = 0;
                let mut out = vec![0xa5; mtu];
                while flight.is_pending() {
                    let len = flight.write(&mut records, &mut out);
                    assert!(len > 0 && len <= mtu);
                    deliver(&mut reassembly, &out[..len]);
                    datagrams += 1;
                }
                assert!(datagrams >= 768 / mtu && datagrams <= 2 + 706 / (mtu - 25));
                flight.rewind();
            }
            assert_eq!(reassembly.take().unwrap().bytes, message);
            reassembly.consume();
            assert!(reassembly.take().unwrap().body().is_empty());
        }
    }

    #[test]
    fn a_buffer_without_room_is_left_alone() {
        let mut flight = Flight::default();
        flight.push(&ServerHelloDone);
        let mut out = [0xa5; 24];
        assert_eq!(flight.write(&mut RecordLayer::default(), &mut out), 0);
        assert!(flight.is_pending());
    }
}
