//! STUN client procedures: sending checks and acting on their answers
//! ([RFC 8445 §7.2](https://www.rfc-editor.org/rfc/rfc8445#section-7.2)).

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Transmit};
use rtckit_stun::{Class, Message, Retransmission, Step, Transaction, TransactionId};

use crate::agent::{Agent, Selected};
use crate::candidate::{Candidate, Foundation};
use crate::consent::Consent;
use crate::event::Event;
use crate::pair::{Check, PairId, PairState, SelectedPair};
use crate::role::Role;
use crate::session::Request;

/// 403: the peer revokes its consent (RFC 7675 §5.2).
const FORBIDDEN: u16 = 403;
/// 487: both agents claim the same role.
const ROLE_CONFLICT: u16 = 487;

impl Agent {
    // ---- requests ----

    /// A new check, if the pacing lets one leave.
    pub(crate) fn poll_check(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        while self.may_check() && self.takes_slot(now) {
            let id = self.checklist.next_check()?;
            self.begin_check(now, id);
            if let Some(transmit) = self.write_check(id, buf) {
                return Some(transmit);
            }
        }
        None
    }

    /// Whether a check may leave now.
    ///
    /// A nomination leaves out of turn: its pair works already, so it opens no binding in any NAT, which is what Ta
    /// is there for ([RFC 8445 §14.2](https://www.rfc-editor.org/rfc/rfc8445#section-14.2)); the next check waits
    /// the longer. On a fast path this halves the time to connect.
    fn takes_slot(&mut self, now: Instant) -> bool {
        if self.checklist.nomination_is_next() {
            self.pacer.overdraw(now);
            return true;
        }
        self.pacer.take(now)
    }

    fn begin_check(&mut self, now: Instant, id: PairId) {
        // RFC 8445 §14.3: RTO = MAX(500 ms, Ta * N)
        let rto = self
            .config
            .retransmission
            .rto
            .max(self.pacer.interval().saturating_mul(self.checklist.load()));
        let has_answered = self
            .checklist
            .pair(id)
            .is_some_and(|pair| pair.valid.is_some());
        let retransmission = if has_answered {
            steady(rto, &self.config.retransmission)
        } else {
            Retransmission {
                rto,
                ..self.config.retransmission
            }
        };
        let mut transaction =
            Transaction::new(TransactionId::new(&mut *self.random), now, retransmission);
        transaction.poll(now);
        let (role, tie_breaker) = (self.role, self.tie_breaker);
        if let Some(pair) = self.checklist.pair_mut(id) {
            if pair.valid.is_none() {
                pair.state = PairState::InProgress;
            }
            let use_candidate = role == Role::Controlling && pair.nominate;
            tracing::debug!(path = ?pair.path, ?role, use_candidate, "check");
            pair.check = Some(Check {
                transaction,
                role,
                tie_breaker,
                use_candidate,
            });
        }
    }

    /// A check whose answer is overdue, again.
    pub(crate) fn poll_retransmission(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        loop {
            let due = self.checklist.pairs_mut().iter_mut().find_map(|pair| {
                let step = pair.check.as_mut()?.transaction.poll(now);
                (step == Step::Send).then(|| {
                    tracing::debug!(path = ?pair.path, "check again");
                    pair.id()
                })
            })?;
            if let Some(transmit) = self.write_check(due, buf) {
                return Some(transmit);
            }
        }
    }

    /// Writes the pair's check; the same bytes each time.
    fn write_check(&mut self, id: PairId, buf: &mut [u8]) -> Option<Transmit> {
        let remote = self.remote.as_ref()?;
        let pair = self.checklist.pair(id)?;
        let check = pair.check.as_ref()?;
        let request = Request {
            id: check.transaction.id(),
            priority: self
                .checklist
                .local()
                .get(pair.local)?
                .priority_as_peer_reflexive(),
            role: check.role,
            tie_breaker: check.tie_breaker,
            use_candidate: check.use_candidate,
        };
        let path = pair.path;
        let len = remote.write(request, buf).ok()?;
        self.checklist.pair_mut(id)?.stats.requests_sent += 1;
        Some(Transmit::new(path, len))
    }

    /// A consent check, if one is due.
    pub(crate) fn poll_consent(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let selected = self.selected.as_mut()?;
        let id = selected.consent.request(now, &mut *self.random)?;
        let request = Request {
            id,
            priority: selected.consent.priority,
            role: self.role,
            tie_breaker: self.tie_breaker,
            use_candidate: false,
        };
        let len = selected.consent.session.write(request, buf).ok()?;
        let transmit = Transmit::new(selected.consent.path, len);
        if let Some(pair) = selected.id.and_then(|id| self.checklist.pair_mut(id)) {
            pair.stats.consent_requests_sent += 1;
        }
        Some(transmit)
    }

    /// Gives up the checks that nobody answered.
    pub(crate) fn expire_checks(&mut self, now: Instant) {
        for pair in self.checklist.pairs_mut() {
            if pair
                .check
                .as_ref()
                .is_some_and(|check| check.transaction.is_timed_out(now))
            {
                fail(pair);
            }
        }
    }

    // ---- responses ----

    /// An answer; `None` when it is dropped.
    pub(crate) fn on_response(
        &mut self,
        now: Instant,
        path: FiveTuple,
        message: &Message<'_>,
    ) -> Option<()> {
        let id = message.transaction_id();
        if self
            .selected
            .as_ref()
            .is_some_and(|selected| selected.consent.has_sent(id))
        {
            return self.on_consent_response(now, path, message);
        }
        let pair_id = self.checklist.pair_of(id)?;
        if !message.verify_integrity(&self.remote.as_ref()?.key) {
            return None;
        }
        let pair = self.checklist.pair_mut(pair_id)?;
        pair.stats.responses_received += 1;
        let check = pair.check.take_if(|check| check.transaction.id() == id);
        if check.is_none() {
            pair.forget_cancelled(id);
        } else if let Some(rtt) = check.as_ref().and_then(|check| check.transaction.rtt(now)) {
            tracing::debug!(?path, ?rtt, answer = ?message.class(), "check answered");
            pair.stats.measure(rtt);
        }
        // RFC 8445 §7.2.5.2.1: the answer has to come from where the check went
        if pair.path != path {
            fail(pair);
            return Some(());
        }
        match (message.class(), message.xor_mapped_address()) {
            (Class::SuccessResponse, Some(mapped)) => self.on_success(now, pair_id, mapped, check),
            _ if message
                .error_code()
                .is_some_and(|error| error.code == ROLE_CONFLICT) =>
            {
                self.on_role_conflict(pair_id, check);
            }
            // a cancelled check fails without its pair, which has another
            _ if check.is_some() => fail(self.checklist.pair_mut(pair_id)?),
            _ => {}
        }
        Some(())
    }

    /// RFC 8445 §7.2.5.3. `check` is `None` when it was cancelled.
    fn on_success(&mut self, now: Instant, id: PairId, mapped: SocketAddr, check: Option<Check>) {
        let Some(seen_as) = self.seen_as(id, mapped) else {
            return;
        };
        let role = self.role;
        let Some(pair) = self.checklist.pair_mut(id) else {
            return;
        };
        pair.state = PairState::Succeeded;
        pair.valid = Some(seen_as);
        // an answer to the check before the nominating one nominates nothing, and must not unqueue it
        let nominates = pair.nominate
            && (role == Role::Controlled || check.is_some_and(|check| check.use_candidate));
        if nominates || !pair.nominate {
            self.checklist.succeeded(id);
        }
        self.nomination.on_valid(now);
        if nominates {
            self.select(now, id);
        }
    }

    /// Which local candidate the peer saw; a new peer-reflexive one, if it is none we knew
    /// ([RFC 8445 §7.2.5.3.1](https://www.rfc-editor.org/rfc/rfc8445#section-7.2.5.3.1)).
    fn seen_as(&mut self, id: PairId, mapped: SocketAddr) -> Option<usize> {
        let pair = self.checklist.pair(id)?;
        let (local, base) = (pair.local, pair.path.local);
        if let Some(known) = self.checklist.local_seen_as(mapped, base) {
            return Some(known);
        }
        if self.checklist.local().len() >= self.config.max_local_candidates {
            return Some(local);
        }
        let priority = self
            .checklist
            .local()
            .get(local)?
            .priority_as_peer_reflexive();
        let foundation = Foundation::from_number(self.random.next_u32());
        let candidate = Candidate::peer_reflexive(mapped, Some(base), priority, foundation);
        Some(self.checklist.push_local(candidate))
    }

    /// RFC 8445 §7.2.5.1: takes the other role, unless that happened already, and checks again.
    fn on_role_conflict(&mut self, id: PairId, check: Option<Check>) {
        let Some(check) = check else {
            return;
        };
        if check.role == self.role {
            self.switch_role();
            self.tie_breaker = self.random.next_u64();
        }
        self.checklist.trigger(id);
    }

    pub(crate) fn switch_role(&mut self) {
        self.set_role(self.role.switched());
        tracing::debug!(role = ?self.role, "role conflict: switched");
        for pair in self.checklist.pairs_mut() {
            pair.nominate = false;
        }
        self.event(Event::RoleChanged(self.role));
    }

    fn on_consent_response(
        &mut self,
        now: Instant,
        path: FiveTuple,
        message: &Message<'_>,
    ) -> Option<()> {
        let selected = self.selected.as_mut()?;
        let consent = &mut selected.consent;
        if consent.path != path || !message.verify_integrity(&consent.session.key) {
            return None;
        }
        if message.class() == Class::ErrorResponse {
            if message.error_code()?.code == FORBIDDEN {
                match selected.id {
                    Some(_) => self.fail(),
                    None => self.selected = None,
                }
            }
            return Some(());
        }
        let rtt = consent.on_response(now, message.transaction_id())?;
        tracing::trace!(?path, ?rtt, "consent");
        if let Some(pair) = selected.id.and_then(|id| self.checklist.pair_mut(id)) {
            pair.stats.responses_received += 1;
            pair.stats.measure(rtt);
        }
        Some(())
    }

    // ---- nomination ----

    /// Controlling: repeats the pair's check with USE-CANDIDATE.
    pub(crate) fn nominate(&mut self, id: PairId) {
        if let Some(pair) = self.checklist.pair_mut(id) {
            pair.nominate = true;
            self.checklist.trigger_first(id);
        }
    }

    /// The nomination of a valid pair is complete. Of several, which agents of RFC 5245 may nominate, the best is
    /// used ([RFC 8445 §8.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-8.1.1)), unless its peer is silent.
    pub(crate) fn select(&mut self, now: Instant, id: PairId) {
        let Some(pair) = self.checklist.pair_mut(id) else {
            return;
        };
        pair.nominate = false;
        pair.nominated = true;
        let (path, priority) = (pair.path, pair.priority);
        let (local, remote) = (pair.valid.unwrap_or(pair.local), pair.remote);
        if let Some(selected) = &self.selected
            && let Some(current) = selected.id.and_then(|id| self.checklist.pair(id))
            && (current.id() == id
                || (current.priority > priority && !selected.consent.is_silent()))
        {
            return;
        }
        let (Some(&local), Some(&remote), Some(session)) = (
            self.checklist.local().get(local),
            self.checklist.remote().get(remote),
            self.remote.clone(),
        ) else {
            return;
        };
        let pair = SelectedPair {
            local,
            remote,
            path,
        };
        let priority = local.priority_as_peer_reflexive();
        let consent = Consent::new(
            session,
            path,
            priority,
            now,
            &self.config,
            &mut *self.random,
        );
        self.selected = Some(Selected {
            pair,
            consent,
            id: Some(id),
        });
        self.previous = None;
        self.checklist.conclude(id);
        self.event(Event::SelectedPair(pair));
    }
}

/// How a check is repeated on a path that has answered before, as the nominating check is: at the same pace as long as
/// another check would be waited for.
///
/// Backing off protects paths nobody knows anything of. Here it would make the whole connection wait for eight seconds
/// and more after a few losses in a row, while the peer, which has the nomination, is sending already.
fn steady(rto: Duration, usual: &Retransmission) -> Retransmission {
    let doublings = (1u32 << usual.max_requests.saturating_sub(1).min(30)) - 1;
    let periods = doublings.saturating_add(usual.last_wait.into());
    Retransmission {
        rto,
        max_interval: rto,
        max_requests: u8::try_from(periods).unwrap_or(u8::MAX),
        last_wait: 1,
    }
}

/// The pair's check came to nothing.
fn fail(pair: &mut crate::pair::CandidatePair) {
    tracing::debug!(path = ?pair.path, "check failed");
    pair.check = None;
    pair.valid = None;
    pair.nominate = false;
    pair.state = PairState::Failed;
}
