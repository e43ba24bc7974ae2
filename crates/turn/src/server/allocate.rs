//! Allocate: a client asks for relayed addresses
//! ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)).
//!
//! ```text
//! client                server                        driver
//!   |  Allocate            |                             |
//!   |--------------------->|  BindRelay, once or twice   |
//!   |                      |---------------------------->|
//!   |  (repeated: silence) |                             |
//!   |--------------------->|               relay_bound   |
//!   |        success       |<----------------------------|
//!   |<---------------------|                             |
//! ```

use alloc::boxed::Box;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Random, Transport};
use rtckit_stun::{
    AddressErrorCode, AddressFamily, AttributeType, Class, ErrorCode, Message, Method, Users,
    Verified,
};

use crate::server::allocation::{Allocation, Binding, Mobility, State};
use crate::server::event::{Event, RelayId, Release};
use crate::server::index::Entry;
use crate::server::relay::{Owner, PortChoice};
use crate::server::slots::SlotId;
use crate::server::timers::Due;
use crate::server::{Request, Server, algorithm_of, transport_of};

/// How long a reserved port waits for its client
/// ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)).
const RESERVATION_LIFETIME: Duration = Duration::from_secs(30);

/// How many ports may be kept aside.
const MAX_RESERVATIONS: usize = 1024;

/// How long the driver has to bind a relay.
const BIND_TIMEOUT: Duration = Duration::from_secs(10);

/// A relay that was kept aside.
pub(super) struct Reservation {
    token: [u8; 8],
    relay: SlotId,
    account: Box<str>,
    /// Whether an access token vouched for the user, whose name is then that of the token's key.
    has_token: bool,
}

/// What an Allocate request asks for.
struct Wish {
    transport: Transport,
    family: AddressFamily,
    additional: bool,
    even: Option<bool>,
    token: Option<[u8; 8]>,
    wants_ticket: bool,
}

/// ADDITIONAL-ADDRESS-FAMILY before it had a number of its own: coturn's clients have not changed since
/// ([draft-martinsen-tram-ssoda](https://datatracker.ietf.org/doc/html/draft-martinsen-tram-ssoda)).
const DRAFT_ADDITIONAL_ADDRESS_FAMILY: AttributeType = AttributeType(0x8032);

impl Wish {
    /// The checks of RFC 8656 §7.2, in its order.
    fn read(message: &Message<'_>, path: &FiveTuple) -> Result<Self, ErrorCode<'static>> {
        let has = |attribute_type| message.attribute(attribute_type).is_some();
        let number = message
            .requested_transport()
            .ok_or(ErrorCode::BAD_REQUEST)?;
        let transport = transport_of(number).ok_or(ErrorCode::UNSUPPORTED_TRANSPORT)?;
        let has_family = has(AttributeType::REQUESTED_ADDRESS_FAMILY);
        let draft = message.attribute(DRAFT_ADDITIONAL_ADDRESS_FAMILY);
        let has_additional = has(AttributeType::ADDITIONAL_ADDRESS_FAMILY) || draft.is_some();
        let has_even = has(AttributeType::EVEN_PORT);
        let has_token = has(AttributeType::RESERVATION_TOKEN);
        let token = message.reservation_token();
        let even = message.even_port().map(|even| even.reserve_next);
        // RFC 6062 §5.1: over streams alone, and none of the attributes that are about datagrams
        let is_bad_tcp = transport == Transport::Tcp
            && (path.transport == Transport::Udp
                || has_even
                || has_token
                || message.dont_fragment());
        let is_bad = is_bad_tcp
            || has_token && (token.is_none() || has_even || has_family || has_additional)
            || has_even && even.is_none()
            || has_family && has_additional
            || has_additional && even == Some(true)
            || message
                .mobility_ticket()
                .is_some_and(|ticket| !ticket.is_empty());
        if is_bad {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let family = match message.requested_address_family() {
            None if has_family => return Err(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
            family => family.unwrap_or(AddressFamily::Ipv4),
        };
        let additional = match message.additional_address_family() {
            Some(AddressFamily::Ipv6) => true,
            None if matches!(draft, Some([2, ..])) => true,
            _ if has_additional => return Err(ErrorCode::BAD_REQUEST),
            _ => false,
        };
        Ok(Self {
            transport,
            family,
            additional,
            even,
            token,
            wants_ticket: message.mobility_ticket().is_some(),
        })
    }
}

impl<U: Users> Server<U> {
    pub(super) fn on_allocate(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: Verified,
    ) -> Result<(), ErrorCode<'static>> {
        if let Some(id) = self.find(&request.path) {
            return self.on_allocate_again(now, request, id);
        }
        if self.is_draining {
            return Err(match self.config.alternate_server {
                Some(_) => ErrorCode::TRY_ALTERNATE,
                None => ErrorCode::INSUFFICIENT_CAPACITY,
            });
        }
        let wish = Wish::read(&request.message, &request.path)?;
        if wish.wants_ticket && !self.config.allows_mobility {
            return Err(ErrorCode::MOBILITY_FORBIDDEN);
        }
        let reserves = wish.even == Some(true);
        self.take_quotas(&user, request.path, reserves)
            .inspect_err(|_| self.counters.allocations_refused += 1)?;
        let lifetime = self.lifetime(now, request.message.lifetime(), user.user.expires);
        let id = self.insert_allocation(now, request, user, &wish, lifetime);
        let begun = self.begin_relays(id, &wish);
        let result = begun.and_then(|()| self.finish_allocation(now, id));
        if let Err(error) = result {
            self.counters.allocations_refused += 1;
            self.release_silently(id);
            return Err(error);
        }
        Ok(())
    }

    /// The same request again is answered again; another one is a mistake.
    fn on_allocate_again(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        id: SlotId,
    ) -> Result<(), ErrorCode<'static>> {
        let allocation = self.allocations.get(id);
        let Some(allocation) = allocation.filter(|a| a.request == request.message.transaction_id())
        else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        if matches!(allocation.state, State::Active) {
            let lifetime = allocation.expires - now;
            self.answer_allocate(id, &request.key.clone(), lifetime, None);
        }
        Ok(())
    }

    /// Counts one more allocation, if all quotas have room for it.
    fn take_quotas(
        &mut self,
        user: &Verified,
        path: FiveTuple,
        reserves: bool,
    ) -> Result<(), ErrorCode<'static>> {
        if reserves && self.reservations.len() >= MAX_RESERVATIONS {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let (account, address) = (user.user.account(), path.remote.ip());
        self.tally.take(&self.config, account, address, reserves)
    }

    /// The lifetime a client gets that asks for `wanted` seconds.
    pub(super) fn lifetime(
        &self,
        now: Instant,
        wanted: Option<u32>,
        expires: Option<Instant>,
    ) -> Duration {
        let least = self.config.default_lifetime;
        let wanted = wanted.map_or(least, |seconds| Duration::from_secs(seconds.into()));
        let granted = wanted.max(least).min(self.config.max_lifetime.max(least));
        expires.map_or(granted, |expires| granted.min(expires - now))
    }

    fn insert_allocation(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: Verified,
        wish: &Wish,
        lifetime: Duration,
    ) -> SlotId {
        let path = request.path;
        let binding = Box::new(Binding {
            response_key: user.response_key,
            waiting: 0,
            reserved: None,
            additional_error: None,
            error: None,
            lifetime,
        });
        let expires = now + BIND_TIMEOUT;
        let allocation = Allocation::new(
            path,
            user.user,
            algorithm_of(&request.message),
            request.message.transaction_id(),
            wish.transport,
            expires,
            binding,
            wish.wants_ticket.then(Box::<Mobility>::default),
        )
        .with_token(request.message.access_token().is_some());
        let id = self.allocations.insert(Box::new(allocation));
        let entry = Entry {
            place: id.place,
            is_next: false,
        };
        self.index_path(&path, entry);
        self.push_event(Event::PathAdded { path });
        self.push_due(expires, Due::Allocation(id));
        id
    }

    // ---- relays ----

    fn begin_relays(&mut self, id: SlotId, wish: &Wish) -> Result<(), ErrorCode<'static>> {
        if let Some(token) = wish.token {
            return self.take_reservation(id, token);
        }
        let owner = Owner::Allocation(id);
        if wish.even == Some(true) {
            let pair = self.begin_pair(owner, wish.transport, wish.family, 1)?;
            self.replace_pair(owner, pair);
            return Ok(());
        }
        let choice = match wish.even {
            Some(_) => PortChoice::Even,
            None => PortChoice::Any,
        };
        let relay = self.begin_relay(owner, wish.transport, wish.family, choice)?;
        let mut additional_error = None;
        let mut additional = None;
        if wish.additional {
            match self.begin_relay(owner, wish.transport, AddressFamily::Ipv6, choice) {
                Ok(relay) => additional = Some(relay),
                Err(error) => additional_error = Some((AddressFamily::Ipv6, error)),
            }
        }
        if let Some(allocation) = self.allocations.get_mut(id) {
            *allocation.relay_mut(wish.family) = Some(relay);
            if let Some(additional) = additional {
                *allocation.relay_mut(AddressFamily::Ipv6) = Some(additional);
            }
            if let State::Binding(binding) = &mut allocation.state {
                binding.waiting = 1 + u8::from(additional.is_some());
                binding.additional_error = additional_error;
            }
        }
        Ok(())
    }

    /// Waits for the relays of `pair`, the second of which is to be reserved, instead of those there were.
    pub(super) fn replace_pair(&mut self, owner: Owner, [relay, reserved]: [SlotId; 2]) {
        let Some(family) = self.relays.get(relay).map(|relay| relay.family) else {
            return;
        };
        let Owner::Allocation(id) = owner else {
            return;
        };
        let Some(allocation) = self.allocations.get_mut(id) else {
            return;
        };
        let mut old = [allocation.relay_mut(family).replace(relay), None];
        if let State::Binding(binding) = &mut allocation.state {
            binding.waiting = 2;
            old[1] = binding.reserved.replace(reserved);
        }
        for relay in old.into_iter().flatten() {
            self.close_relay(relay);
        }
    }

    pub(super) fn relay_settled(&mut self, now: Instant, id: SlotId, is_bound: bool) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let family = relay.family;
        let Owner::Allocation(owner) = relay.owner else {
            return;
        };
        let Some(allocation) = self.allocations.get_mut(owner) else {
            return;
        };
        let is_additional = family == AddressFamily::Ipv6 && allocation.relays[0].is_some();
        let State::Binding(binding) = &mut allocation.state else {
            return;
        };
        binding.waiting = binding.waiting.saturating_sub(1);
        if !is_bound {
            let error = ErrorCode::INSUFFICIENT_CAPACITY;
            if is_additional {
                binding.additional_error = Some((family, error));
                *allocation.relay_mut(family) = None;
                self.forget_relay(id);
            } else {
                binding.error = Some(error);
            }
        }
        if let Err(error) = self.finish_allocation(now, owner) {
            self.refuse_allocation(owner, error);
        }
    }

    fn refuse_allocation(&mut self, id: SlotId, error: ErrorCode<'static>) {
        self.counters.allocations_refused += 1;
        self.counters.errors += 1;
        if let Some(allocation) = self.allocations.get(id)
            && let State::Binding(binding) = &allocation.state
        {
            let head = (Class::ErrorResponse, Method::ALLOCATE, allocation.request);
            let (path, key) = (allocation.path, binding.response_key.clone());
            self.answer(path, head, &key, |writer| writer.error_code(error));
        }
        self.release_silently(id);
    }

    // ---- reservations ----

    fn take_reservation(&mut self, id: SlotId, token: [u8; 8]) -> Result<(), ErrorCode<'static>> {
        let allocation = self.allocations.get(id);
        let allocation = allocation.ok_or(ErrorCode::INSUFFICIENT_CAPACITY)?;
        let is_it = |reservation: &Reservation| {
            let is_users = *reservation.account == *allocation.user.account()
                || reservation.has_token && allocation.has_token;
            reservation.token == token && is_users
        };
        let place = self.reservations.iter().position(is_it);
        let place = place.ok_or(ErrorCode::INSUFFICIENT_CAPACITY)?;
        let relay = self.unreserve(place);
        let found = self.relays.get_mut(relay);
        let found = found.ok_or(ErrorCode::INSUFFICIENT_CAPACITY)?;
        found.owner = Owner::Allocation(id);
        let family = found.family;
        if let Some(allocation) = self.allocations.get_mut(id) {
            *allocation.relay_mut(family) = Some(relay);
        }
        Ok(())
    }

    /// Keeps the second relay of a pair aside; returns the token.
    fn reserve(
        &mut self,
        now: Instant,
        relay: SlotId,
        (account, has_token): (Box<str>, bool),
    ) -> [u8; 8] {
        let mut token = [0; 8];
        let serial = self.random.next_u64();
        let (tag, _) = self.tickets.tag(b"reservation", &serial.to_be_bytes());
        token.copy_from_slice(&tag);
        let [instance, ..] = &mut token;
        *instance = self.config.instance;
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.owner = Owner::Reservation;
        }
        self.tally.change(|usage| usage.reserve(&account));
        self.reservations.push(Reservation {
            token,
            relay,
            account,
            has_token,
        });
        self.push_due(now + RESERVATION_LIFETIME, Due::Reservation(relay));
        token
    }

    /// Forgets the reservation at `place` of the list, and returns its relay.
    fn unreserve(&mut self, place: usize) -> SlotId {
        let Reservation { relay, account, .. } = self.reservations.swap_remove(place);
        self.tally.change(|usage| usage.unreserve(&account));
        relay
    }

    /// Closes the relays that are kept aside and that `is_over` is true of.
    fn end_reservations(&mut self, is_over: impl Fn(&Reservation) -> bool) {
        while let Some(place) = self.reservations.iter().position(&is_over) {
            let relay = self.unreserve(place);
            self.close_relay(relay);
        }
    }

    /// Closes the relays that are kept aside for `account`.
    pub(super) fn release_reservations(&mut self, account: &str) {
        self.end_reservations(|reservation| *reservation.account == *account);
    }

    /// Nobody came for `relay` in time.
    pub(super) fn on_reservation_due(&mut self, relay: SlotId) {
        self.end_reservations(|reservation| reservation.relay == relay);
    }

    // ---- the end of the beginning ----

    /// Answers the request when every relay's fate is known.
    fn finish_allocation(&mut self, now: Instant, id: SlotId) -> Result<(), ErrorCode<'static>> {
        let Some(allocation) = self.allocations.get_mut(id) else {
            return Ok(());
        };
        let State::Binding(binding) = &allocation.state else {
            return Ok(());
        };
        if binding.waiting > 0 {
            return Ok(());
        }
        if let Some(error) = binding.error {
            return Err(error);
        }
        let State::Binding(binding) = core::mem::replace(&mut allocation.state, State::Active)
        else {
            return Ok(());
        };
        allocation.expires = now + binding.lifetime;
        // the timer still looks at the time until which the relays had to be bound
        let user = (allocation.user.account().into(), allocation.has_token);
        if let Some(reserved) = binding.reserved {
            let token = self.reserve(now, reserved, user);
            if let Some(allocation) = self.allocations.get_mut(id) {
                allocation.reservation = Some(token);
            }
        }
        self.counters.allocations += 1;
        self.answer_allocate(
            id,
            &binding.response_key,
            binding.lifetime,
            binding.additional_error,
        );
        self.announce(id);
        Ok(())
    }

    fn announce(&mut self, id: SlotId) {
        let Some(allocation) = self.allocations.get(id) else {
            return;
        };
        let path = allocation.path;
        let first = allocation.relays.into_iter().flatten().next();
        if let Some((relay, relayed)) = first.and_then(|relay| Some((relay, self.relayed(relay)?)))
        {
            self.push_event(Event::Allocated {
                path,
                relay: RelayId(relay),
                relayed,
            });
        }
    }

    fn answer_allocate(
        &mut self,
        id: SlotId,
        key: &rtckit_stun::IntegrityKey,
        lifetime: Duration,
        additional_error: Option<(AddressFamily, ErrorCode<'static>)>,
    ) {
        let Some(allocation) = self.allocations.get(id) else {
            return;
        };
        let path = allocation.path;
        let relayed = allocation.relays.map(|relay| self.relayed(relay?));
        let reservation = allocation.reservation;
        let ticket = allocation
            .mobility
            .as_ref()
            .map(|mobility| self.tickets.make(id, mobility.serial));
        let head = (Class::SuccessResponse, Method::ALLOCATE, allocation.request);
        self.answer(path, head, key, |writer| {
            for relayed in relayed.into_iter().flatten() {
                writer.xor_relayed_address(relayed)?;
            }
            writer.lifetime(lifetime.as_secs() as u32)?;
            writer.xor_mapped_address(path.remote)?;
            if let Some(token) = reservation {
                writer.reservation_token(token)?;
            }
            if let Some((family, error)) = additional_error {
                writer.address_error_code(AddressErrorCode { family, error })?;
            }
            match ticket {
                Some(ticket) => writer.mobility_ticket(&ticket),
                None => Ok(()),
            }
        });
    }

    // ---- the end ----

    /// Ends an allocation and says so.
    pub(super) fn release(&mut self, id: SlotId, reason: Release) {
        let Some(allocation) = self.allocations.get(id) else {
            return;
        };
        let path = allocation.path;
        let was_active = matches!(allocation.state, State::Active);
        let first = allocation.relays.into_iter().flatten().next();
        self.release_silently(id);
        if let Some(relay) = first.filter(|_| was_active) {
            self.counters.releases += 1;
            self.push_event(Event::Released {
                path,
                relay: RelayId(relay),
                reason,
            });
        }
    }

    fn release_silently(&mut self, id: SlotId) {
        let Some(allocation) = self.allocations.remove(id) else {
            return;
        };
        let entry = |is_next| Entry {
            place: id.place,
            is_next,
        };
        let path = allocation.path;
        self.paths.remove(&path, entry(false));
        self.push_event(Event::PathRemoved { path });
        if let Some(path) = allocation.next_path().copied() {
            self.paths.remove(&path, entry(true));
            self.push_event(Event::PathRemoved { path });
        }
        debug_assert!(
            self.allocations.len() > 0 || self.paths.is_empty(),
            "a path that leads nowhere"
        );
        self.count_down(&allocation);
        for connection in &allocation.connections {
            self.drop_connection(*connection);
        }
        for relay in allocation.relays.into_iter().flatten() {
            self.close_relay(relay);
        }
        if let State::Binding(binding) = allocation.state
            && let Some(reserved) = binding.reserved
        {
            self.close_relay(reserved);
        }
    }

    /// Quotas again have room for one.
    fn count_down(&mut self, allocation: &Allocation) {
        let (user, address) = (allocation.user.account(), allocation.path.remote.ip());
        self.tally.change(|usage| usage.give_back(user, address));
    }

    /// The stream of a client was closed, and so is what was allocated by it; of a mobile client it lives on until it
    /// ends, to be found again by its ticket.
    pub fn stream_closed(&mut self, path: FiveTuple) {
        let Some(id) = self.find(&path) else {
            return;
        };
        let is_mobile = self
            .allocations
            .get(id)
            .is_some_and(|allocation| allocation.mobility.is_some());
        if !is_mobile {
            self.release(id, Release::StreamClosed);
        }
    }
}
