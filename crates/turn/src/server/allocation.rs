//! One client's allocation: who may send through it, and to whom
//! ([RFC 8656 §3.2](https://www.rfc-editor.org/rfc/rfc8656#section-3.2)).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Transport};
use rtckit_stun::{
    AddressFamily, ErrorCode, IntegrityKey, Message, PasswordAlgorithm, TransactionId, User,
    Verified,
};

use crate::channel_data::ChannelNumber;
use crate::server::slots::SlotId;

/// How long a permission lasts ([RFC 8656 §9](https://www.rfc-editor.org/rfc/rfc8656#section-9)).
pub(crate) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// How long a channel lasts ([RFC 8656 §12](https://www.rfc-editor.org/rfc/rfc8656#section-12)).
pub(crate) const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) struct Allocation {
    /// Where the client is; under RFC 8016, where data for it goes.
    pub(crate) path: FiveTuple,
    pub(crate) user: User,
    /// Whether an access token vouches for the user (RFC 7635).
    pub(crate) has_token: bool,
    /// By which `user.secret` was made.
    pub(crate) algorithm: PasswordAlgorithm,
    /// The Allocate request, to know it when it is repeated.
    pub(crate) request: TransactionId,
    pub(crate) state: State,
    /// What the relayed addresses speak.
    pub(crate) transport: Transport,
    /// For IPv4 and for IPv6.
    pub(crate) relays: [Option<SlotId>; 2],
    pub(crate) expires: Instant,
    /// When the timer looks at it next: `expires` or earlier.
    pub(crate) timer: Instant,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    /// TCP connections with peers (RFC 6062).
    pub(crate) connections: Vec<SlotId>,
    pub(crate) mobility: Option<Box<Mobility>>,
    pub(crate) reservation: Option<[u8; 8]>,
}

pub(crate) enum State {
    /// The driver is binding its relays.
    Binding(Box<Binding>),
    Active,
}

/// What is needed to answer the Allocate request.
pub(crate) struct Binding {
    pub(crate) response_key: IntegrityKey,
    /// Relays whose fate is not known yet, the reserved one among them.
    pub(crate) waiting: u8,
    /// The reserved relay.
    pub(crate) reserved: Option<SlotId>,
    /// What went wrong with the additional family.
    pub(crate) additional_error: Option<(AddressFamily, ErrorCode<'static>)>,
    /// What went wrong altogether.
    pub(crate) error: Option<ErrorCode<'static>>,
    pub(crate) lifetime: Duration,
}

/// Where an allocation of RFC 8016 is about to move.
#[derive(Default)]
pub(crate) struct Mobility {
    /// Which ticket is the present one.
    pub(crate) serial: u32,
    /// The path it moves to when data comes from there, and the request that said so.
    pub(crate) next: Option<(FiveTuple, TransactionId)>,
}

#[derive(Clone, Copy)]
struct Permission {
    ip: IpAddr,
    expires: Instant,
}

#[derive(Clone, Copy)]
struct Channel {
    number: ChannelNumber,
    peer: SocketAddr,
    expires: Instant,
}

/// Why a permission or channel was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are too many.
    Full,
    /// The number or the peer is bound otherwise.
    Conflict,
}

impl Allocation {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, with what an allocation is made of"
    )]
    pub(crate) const fn new(
        path: FiveTuple,
        user: User,
        algorithm: PasswordAlgorithm,
        request: TransactionId,
        transport: Transport,
        expires: Instant,
        binding: Box<Binding>,
        mobility: Option<Box<Mobility>>,
    ) -> Self {
        Self {
            path,
            user,
            has_token: false,
            algorithm,
            request,
            state: State::Binding(binding),
            transport,
            relays: [None; 2],
            expires,
            timer: expires,
            permissions: Vec::new(),
            channels: Vec::new(),
            connections: Vec::new(),
            mobility,
            reservation: None,
        }
    }

    /// Notes whether an access token vouches for the user.
    pub(crate) const fn with_token(mut self, has_token: bool) -> Self {
        self.has_token = has_token;
        self
    }

    /// Whether `user`, who has sent `request`, is the one who allocated it. Of tokens the name is that of their key,
    /// and the next token may be made with another one
    /// ([RFC 7635 §4.3](https://www.rfc-editor.org/rfc/rfc7635#section-4.3)).
    pub(crate) fn is_of(&self, user: &Verified, request: &Message<'_>) -> bool {
        self.user.username == user.user.username
            || self.has_token && request.access_token().is_some()
    }

    /// The relay for peers of that family.
    pub(crate) fn relay(&self, ip: IpAddr) -> Option<SlotId> {
        let [v4, v6] = self.relays;
        if ip.is_ipv4() { v4 } else { v6 }
    }

    pub(crate) const fn relay_of(&self, family: AddressFamily) -> Option<SlotId> {
        let [v4, v6] = self.relays;
        match family {
            AddressFamily::Ipv4 => v4,
            AddressFamily::Ipv6 => v6,
        }
    }

    pub(crate) const fn relay_mut(&mut self, family: AddressFamily) -> &mut Option<SlotId> {
        let [v4, v6] = &mut self.relays;
        match family {
            AddressFamily::Ipv4 => v4,
            AddressFamily::Ipv6 => v6,
        }
    }

    pub(crate) fn next_path(&self) -> Option<&FiveTuple> {
        let (path, _) = self.mobility.as_ref()?.next.as_ref()?;
        Some(path)
    }

    pub(crate) fn is_permitted(&self, now: Instant, ip: IpAddr) -> bool {
        self.permissions
            .iter()
            .any(|permission| permission.ip == ip && permission.expires > now)
    }

    /// Takes back what was given for peers that are not `allowed`.
    pub(crate) fn retain_peers(&mut self, allowed: impl Fn(IpAddr) -> bool) {
        self.permissions.retain(|permission| allowed(permission.ip));
        self.channels.retain(|channel| allowed(channel.peer.ip()));
    }

    /// The peer of a channel.
    pub(crate) fn peer_of(&self, now: Instant, number: ChannelNumber) -> Option<SocketAddr> {
        let is_it = |channel: &&Channel| channel.number == number && channel.expires > now;
        self.channels.iter().find(is_it).map(|channel| channel.peer)
    }

    /// The channel of a peer.
    pub(crate) fn channel_of(&self, now: Instant, peer: SocketAddr) -> Option<ChannelNumber> {
        let is_it = |channel: &&Channel| channel.peer == peer && channel.expires > now;
        self.channels
            .iter()
            .find(is_it)
            .map(|channel| channel.number)
    }

    /// Whether as many new permissions as `ips` need would fit.
    pub(crate) fn has_room_for(
        &mut self,
        now: Instant,
        ips: impl Iterator<Item = IpAddr>,
        max: usize,
    ) -> bool {
        self.permissions
            .retain(|permission| permission.expires > now);
        let new = ips
            .filter(|ip| !self.permissions.iter().any(|p| p.ip == *ip))
            .count();
        self.permissions.len() + new <= max
    }

    /// Installs or refreshes a permission.
    pub(crate) fn permit(&mut self, now: Instant, ip: IpAddr, max: usize) -> Result<(), Refusal> {
        let expires = now + PERMISSION_LIFETIME;
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.ip == ip) {
            permission.expires = expires;
            return Ok(());
        }
        self.permissions
            .retain(|permission| permission.expires > now);
        if self.permissions.len() >= max {
            return Err(Refusal::Full);
        }
        if self.permissions.is_empty() {
            // most have one or two: growing by doubling from four would waste half of a small server's memory
            self.permissions.reserve_exact(1);
        }
        self.permissions.push(Permission { ip, expires });
        Ok(())
    }

    /// Binds or refreshes a channel.
    pub(crate) fn bind_channel(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        max: usize,
    ) -> Result<(), Refusal> {
        self.channels.retain(|channel| channel.expires > now);
        let expires = now + CHANNEL_LIFETIME;
        let is_full = self.channels.len() >= max;
        let known = self
            .channels
            .iter_mut()
            .find(|channel| channel.number == number || channel.peer == peer);
        match known {
            Some(channel) if channel.number == number && channel.peer == peer => {
                channel.expires = expires;
                Ok(())
            }
            Some(_) => Err(Refusal::Conflict),
            None if is_full => Err(Refusal::Full),
            None => {
                if self.channels.is_empty() {
                    self.channels.reserve_exact(1);
                }
                self.channels.push(Channel {
                    number,
                    peer,
                    expires,
                });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_stun::PasswordHash;

    fn allocation() -> Allocation {
        let path = FiveTuple::udp(
            "192.0.2.1:3478".parse().unwrap(),
            "192.0.2.2:5000".parse().unwrap(),
        );
        let hash = PasswordHash::from_md5([0; 16]);
        let binding = Box::new(Binding {
            response_key: hash.sha1(),
            waiting: 0,
            reserved: None,
            additional_error: None,
            error: None,
            lifetime: Duration::ZERO,
        });
        Allocation::new(
            path,
            User::new("u", hash),
            PasswordAlgorithm::Md5,
            TransactionId([0; 12]),
            Transport::Udp,
            Instant::ZERO,
            binding,
            None,
        )
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn permissions_end_and_make_room() {
        let mut allocation = allocation();
        let ip = |n: u8| IpAddr::from([192, 0, 2, n]);
        assert_eq!(allocation.permit(at(0), ip(1), 2), Ok(()));
        assert_eq!(allocation.permit(at(100), ip(2), 2), Ok(()));
        assert_eq!(allocation.permit(at(299), ip(3), 2), Err(Refusal::Full));
        assert!(
            allocation.is_permitted(at(299), ip(1)) && !allocation.is_permitted(at(300), ip(1))
        );
        assert!(allocation.has_room_for(at(300), [ip(2), ip(3)].into_iter(), 2));
        assert_eq!(allocation.permit(at(300), ip(3), 2), Ok(()));
        assert_eq!(allocation.permit(at(301), ip(2), 2), Ok(()), "refreshed");
        assert!(allocation.is_permitted(at(600), ip(2)));
    }

    #[test]
    fn channels_are_one_to_one() {
        let mut allocation = allocation();
        let number = |n: u16| ChannelNumber::new(0x4000 + n).unwrap();
        let peer = |n: u16| SocketAddr::from(([192, 0, 2, 9], n));
        assert_eq!(
            allocation.bind_channel(at(0), number(0), peer(1), 2),
            Ok(())
        );
        assert_eq!(
            allocation.bind_channel(at(1), number(0), peer(2), 2),
            Err(Refusal::Conflict)
        );
        assert_eq!(
            allocation.bind_channel(at(1), number(1), peer(1), 2),
            Err(Refusal::Conflict)
        );
        assert_eq!(
            allocation.bind_channel(at(1), number(1), peer(2), 2),
            Ok(())
        );
        assert_eq!(
            allocation.bind_channel(at(1), number(2), peer(3), 2),
            Err(Refusal::Full)
        );
        assert_eq!(allocation.peer_of(at(599), number(0)), Some(peer(1)));
        assert_eq!(allocation.peer_of(at(600), number(0)), None);
        assert_eq!(allocation.channel_of(at(600), peer(2)), Some(number(1)));
        assert_eq!(
            allocation.bind_channel(at(600), number(0), peer(9), 2),
            Ok(()),
            "bound anew when it has ended"
        );
    }
}
