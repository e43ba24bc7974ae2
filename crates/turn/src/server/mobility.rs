//! An allocation follows its client to another address
//! ([RFC 8016 §3](https://www.rfc-editor.org/rfc/rfc8016#section-3)).
//!
//! ```text
//! at A:  Allocate, MOBILITY-TICKET ()      ->    <-  success, MOBILITY-TICKET (t0)
//! at B:  Refresh, MOBILITY-TICKET (t0)     ->    <-  success, MOBILITY-TICKET (t1); data still goes to A
//! at B:  Send or ChannelData               ->        from now on data goes to B, and A and t0 are forgotten
//! ```
//! A ticket is the allocation's place and a serial number with a tag: the server has to remember the serial number
//! alone.

use alloc::boxed::Box;

use rtckit_crypto::mac::{HmacSha256, constant_time_eq};
use rtckit_proto::{Instant, Random};
use rtckit_stun::{ErrorCode, Users, Verified};

use crate::server::allocation::{Mobility, State};
use crate::server::event::Event;
use crate::server::index::Entry;
use crate::server::slots::SlotId;
use crate::server::{Request, Server};

/// The instance, place, generation and serial number, and the tag over them.
const TEXT_LEN: usize = 13;
const PLAIN_LEN: usize = TEXT_LEN + 16;

/// As hexadecimal digits: a ticket may be any bytes, but coturn's client keeps it as a C string, which ends at a zero.
const TICKET_LEN: usize = 2 * PLAIN_LEN;

type Ticket = [u8; TICKET_LEN];

/// Makes and opens tickets. Its key is this shard's own: an allocation is in one shard.
pub(super) struct Tickets {
    key: HmacSha256,
    instance: u8,
}

impl Tickets {
    pub(super) fn new(instance: u8, random: &mut (impl Random + ?Sized)) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        let key = HmacSha256::new(&key);
        Self { key, instance }
    }

    /// The first 8 and the first 16 bytes of the tag over `text`.
    pub(super) fn tag(&self, purpose: &[u8], text: &[u8]) -> ([u8; 8], [u8; 16]) {
        let full = self.key.sign(&[purpose, text]);
        let short = full.first_chunk().copied().unwrap_or([0; 8]);
        let long = full.first_chunk().copied().unwrap_or([0; 16]);
        (short, long)
    }

    pub(super) fn make(&self, id: SlotId, serial: u32) -> Ticket {
        let mut plain = [0; PLAIN_LEN];
        let (text, tag) = plain.split_at_mut(TEXT_LEN);
        if let Some((instance, numbers)) = text.split_first_mut() {
            *instance = self.instance;
            let words = [id.place, id.generation, serial];
            for (to, word) in numbers.as_chunks_mut().0.iter_mut().zip(words) {
                *to = word.to_be_bytes();
            }
        }
        tag.copy_from_slice(&self.tag(b"ticket", text).1);
        to_hex(&plain)
    }

    /// The allocation and serial number of a ticket of ours.
    fn open(&self, ticket: &[u8]) -> Option<(SlotId, u32)> {
        let plain = from_hex(ticket)?;
        let (text, tag) = plain.split_first_chunk::<TEXT_LEN>()?;
        let [place, generation, serial] = [1, 5, 9].map(|at| {
            let word = text.get(at..).and_then(|rest| rest.first_chunk());
            u32::from_be_bytes(word.copied().unwrap_or_default())
        });
        constant_time_eq(&self.tag(b"ticket", text).1, tag)
            .then_some((SlotId { place, generation }, serial))
    }
}

fn to_hex(plain: &[u8; PLAIN_LEN]) -> Ticket {
    let mut ticket = [0; TICKET_LEN];
    for (digits, byte) in ticket.as_chunks_mut().0.iter_mut().zip(plain) {
        *digits = [byte >> 4, byte & 0x0f].map(|digit| match digit {
            0..=9 => b'0' + digit,
            _ => b'a' + digit - 10,
        });
    }
    ticket
}

fn from_hex(ticket: &[u8]) -> Option<[u8; PLAIN_LEN]> {
    let ticket: &Ticket = ticket.try_into().ok()?;
    let mut plain = [0; PLAIN_LEN];
    for (byte, &[high, low]) in plain.iter_mut().zip(ticket.as_chunks().0) {
        let digit = |at: u8| char::from(at).to_digit(16);
        *byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
    }
    Some(plain)
}

/// The instance that gave `ticket`, by its own word.
pub(super) fn instance_of_ticket(ticket: &[u8]) -> Option<u8> {
    let [instance, ..] = from_hex(ticket)?;
    Some(instance)
}

impl<U: Users> Server<U> {
    /// The allocation a ticket stands for.
    pub(super) fn by_ticket(&self, ticket: &[u8]) -> Option<SlotId> {
        self.tickets.open(ticket).map(|(id, _)| id)
    }

    /// Which allocation a Refresh with a ticket is about
    /// ([RFC 8016 §3.2.2](https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2)); it is about to move to where the
    /// request came from. Returns the new ticket too.
    pub(super) fn move_by_ticket(
        &mut self,
        request: &Request<'_>,
        user: &Verified,
        ticket: &[u8],
    ) -> Result<(SlotId, Ticket), ErrorCode<'static>> {
        if !self.config.allows_mobility {
            return Err(ErrorCode::MOBILITY_FORBIDDEN);
        }
        let opened = self.tickets.open(ticket);
        let (id, serial) = opened.ok_or(ErrorCode::BAD_REQUEST)?;
        let found = self.allocations.get(id);
        let Some(allocation) = found.filter(|a| matches!(a.state, State::Active)) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        if !allocation.is_of(user, &request.message) {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        let Some(mobility) = &allocation.mobility else {
            return Err(ErrorCode::BAD_REQUEST);
        };
        let id_of_request = request.message.transaction_id();
        let is_repeated = mobility
            .next
            .as_ref()
            .is_some_and(|(path, id)| *path == request.path && *id == id_of_request);
        if is_repeated && serial.wrapping_add(1) == mobility.serial {
            return Ok((id, self.tickets.make(id, mobility.serial)));
        }
        if serial != mobility.serial || allocation.path == request.path {
            return Err(ErrorCode::BAD_REQUEST);
        }
        match self.find(&request.path) {
            // the client has another allocation there, or moves on before it has sent anything
            Some(other) if other != id => return Err(ErrorCode::ALLOCATION_MISMATCH),
            _ => {}
        }
        // who is refused keeps the ticket, and stays where it is
        self.check_family(request, id)?;
        let serial = serial.wrapping_add(1);
        self.set_next_path(id, request, serial);
        Ok((id, self.tickets.make(id, serial)))
    }

    fn set_next_path(&mut self, id: SlotId, request: &Request<'_>, serial: u32) {
        let entry = Entry {
            place: id.place,
            is_next: true,
        };
        let next = self
            .allocations
            .get(id)
            .and_then(|a| a.next_path().copied());
        if let Some(path) = next {
            self.paths.remove(&path, entry);
            self.push_event(Event::PathRemoved { path });
        }
        if let Some(allocation) = self.allocations.get_mut(id) {
            allocation.mobility = Some(Box::new(Mobility {
                serial,
                next: Some((request.path, request.message.transaction_id())),
            }));
        }
        self.index_path(&request.path, entry);
        self.push_event(Event::PathAdded { path: request.path });
    }

    /// Data came by the new path: the old one is forgotten.
    pub(super) fn complete_move(&mut self, entry: Entry) {
        let Some(id) = self.allocations.id_at(entry.place) else {
            return;
        };
        let Some(allocation) = self.allocations.get_mut(id) else {
            return;
        };
        let next = allocation.mobility.as_mut().and_then(|m| m.next.take());
        let Some((path, _)) = next else {
            return;
        };
        let old = core::mem::replace(&mut allocation.path, path);
        let first = Entry {
            place: id.place,
            is_next: false,
        };
        self.paths.remove(&path, entry);
        self.paths.remove(&old, first);
        self.index_path(&path, first);
        self.push_event(Event::PathRemoved { path: old });
        self.tally
            .change(|usage| usage.follow(old.remote.ip(), path.remote.ip()));
    }

    /// When `now` is past, what is left of a lifetime.
    pub(super) fn set_expiry(&mut self, id: SlotId, expires: Instant) {
        let Some(allocation) = self.allocations.get_mut(id) else {
            return;
        };
        allocation.expires = expires;
        if expires < allocation.timer {
            allocation.timer = expires;
            self.push_due(expires, crate::server::timers::Due::Allocation(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_proto::SeededRandom;

    #[test]
    fn a_ticket_is_text_and_opens_unchanged_only() {
        let tickets = Tickets::new(5, &mut SeededRandom::new(1));
        let id = SlotId {
            place: 0,
            generation: 3,
        };
        let ticket = tickets.make(id, 7);
        assert!(ticket.iter().all(u8::is_ascii_hexdigit));
        assert_eq!(tickets.open(&ticket), Some((id, 7)));
        assert_eq!(instance_of_ticket(&ticket), Some(5));
        for at in 0..TICKET_LEN {
            let mut other = ticket;
            other[at] = if other[at] == b'1' { b'2' } else { b'1' };
            assert_eq!(tickets.open(&other), None, "digit {at}");
            other[at] = b'g';
            assert_eq!(tickets.open(&other), None, "no digit at {at}");
            assert_eq!(tickets.open(&ticket[..at]), None, "{at} bytes");
        }
    }
}
