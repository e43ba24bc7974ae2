//! The way in: datagram, record, fragment, message.
//!
//! ```text
//!  datagram ─► record ─► epoch 0 ─► handshake fragment ─► reassembly ─► message ─► state
//!                 │         └─────► alert: noted
//!                 └────► epoch 1 ─► opened in place ─► application data: returned
//!                           │            ├─► Finished: as above
//!                           │            └─► alert: believed
//!                           └─ no keys yet: kept until there are
//! ```

use core::ops::Range;

use rtckit_proto::{Datagram, Instant, Reader, Received};

use crate::Connection;
use crate::alert::{Alert, AlertDescription};
use crate::connection::Timer;
use crate::error::Error;
use crate::handshake::{FragmentHeader, HandshakeType, Message};
use crate::reassembly::{Assembled, Inserted};
use crate::record::{ContentType, RecordHeader};
use crate::v12::{Context, State};

/// How many records of epoch 1 are kept while the keys are missing. A flight has one.
const MAX_EARLY_RECORDS: usize = 4;

/// How long such a record may be: a Finished has 61 bytes.
const MAX_EARLY_LEN: usize = 256;

impl Connection {
    pub(crate) fn receive<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Received<'d> {
        let (len, stride) = (datagram.data.len(), datagram.stride.max(1));
        let mut received = Received::new(datagram.data);
        for start in (0..len).step_by(stride) {
            let end = start.saturating_add(stride).min(len);
            self.on_datagram(now, &mut received, start..end);
        }
        received
    }

    /// Takes one record after the other, as far as they are records
    /// ([RFC 6347 §4.1.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.1.1)).
    fn on_datagram(&mut self, now: Instant, received: &mut Received<'_>, datagram: Range<usize>) {
        let mut at = datagram.start;
        while at < datagram.end {
            let rest = received.data_mut().get_mut(at..datagram.end);
            let rest = rest.unwrap_or_default();
            let Ok(header) = RecordHeader::parse(rest) else {
                self.stats.dropped_records += 1;
                return;
            };
            let body = at + RecordHeader::LEN;
            let next = body + usize::from(header.length);
            let record = rest.get_mut(..next - at).unwrap_or_default();
            let opened = self.on_record(now, &header, record);
            let fits = opened.is_none_or(|plain| received.push(at + plain.start..at + plain.end));
            if !fits {
                self.stats.dropped_records += 1;
            }
            at = next;
        }
    }

    /// Takes one record and returns where in it application data is.
    fn on_record(
        &mut self,
        now: Instant,
        header: &RecordHeader,
        record: &mut [u8],
    ) -> Option<Range<usize>> {
        match (header.epoch, &self.state, &self.opener) {
            (_, State::Closed, _) | (2.., ..) => self.stats.dropped_records += 1,
            (0, State::Connected(_), _) => self.stats.dropped_records += 1,
            (0, ..) => {
                let fragment = record.get(RecordHeader::LEN..).unwrap_or_default();
                self.on_plaintext(now, header.content_type, fragment);
                self.on_early_records(now);
            }
            (1, _, Some(_)) => return self.on_protected(now, header, record),
            (1, _, None) => self.keep_early(header, record),
        }
        None
    }

    fn on_plaintext(&mut self, now: Instant, content_type: ContentType, fragment: &[u8]) {
        match content_type {
            ContentType::HANDSHAKE => self.on_fragments(now, 0, fragment),
            // The epoch in each record says what ChangeCipherSpec would, and cannot be reordered.
            ContentType::CHANGE_CIPHER_SPEC => {}
            ContentType::ALERT => match Alert::parse(fragment) {
                Some(alert) if alert.fatal => self.plaintext_alert = Some(alert.description),
                _ => self.stats.dropped_records += 1,
            },
            _ => self.stats.dropped_records += 1,
        }
    }

    fn on_protected(
        &mut self,
        now: Instant,
        header: &RecordHeader,
        record: &mut [u8],
    ) -> Option<Range<usize>> {
        let fragment = record.get_mut(RecordHeader::LEN..)?;
        let Some(plain) = self
            .opener
            .as_mut()
            .and_then(|opener| opener.open(header, fragment))
        else {
            self.stats.forged_or_replayed_records += 1;
            return None;
        };
        let bytes = fragment.get(plain.clone())?;
        match (header.content_type, &self.state) {
            (ContentType::APPLICATION_DATA, State::Connected(_)) => {
                return Some(RecordHeader::LEN + plain.start..RecordHeader::LEN + plain.end);
            }
            (ContentType::HANDSHAKE, _) => self.on_fragments(now, 1, bytes),
            (ContentType::ALERT, _) => self.on_alert(bytes),
            _ => self.stats.dropped_records += 1,
        }
        None
    }

    /// An alert that is really the peer's.
    fn on_alert(&mut self, bytes: &[u8]) {
        match Alert::parse(bytes) {
            Some(alert) if alert.description == AlertDescription::CLOSE_NOTIFY => {
                self.on_close_notify();
            }
            Some(alert) if alert.fatal => self.fail(Error::AlertReceived(alert.description)),
            _ => self.stats.dropped_records += 1,
        }
    }

    /// Only handshake records are worth keeping: there is no application data before Finished.
    fn keep_early(&mut self, header: &RecordHeader, record: &[u8]) {
        if header.content_type == ContentType::HANDSHAKE
            && record.len() <= MAX_EARLY_LEN
            && self.early.len() < MAX_EARLY_RECORDS
        {
            self.early.push(record.to_vec());
        } else {
            self.stats.dropped_records += 1;
        }
    }

    fn on_early_records(&mut self, now: Instant) {
        if self.opener.is_none() {
            return;
        }
        for mut record in core::mem::take(&mut self.early) {
            if let Ok(header) = RecordHeader::parse(&record) {
                let _nothing = self.on_record(now, &header, &mut record);
            }
        }
    }

    fn on_fragments(&mut self, now: Instant, epoch: u16, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() && !self.is_closed() {
            let Ok((header, fragment)) = FragmentHeader::parse(&mut reader) else {
                self.stats.dropped_messages += 1;
                return;
            };
            // Finished is the one message under the new keys; elsewhere neither has any business.
            if (header.message_type == HandshakeType::FINISHED) != (epoch == 1) {
                self.stats.dropped_messages += 1;
                continue;
            }
            match self.reassembly.insert(&header, fragment) {
                Inserted::Stored => self.advance(now),
                Inserted::Refused => self.stats.dropped_messages += 1,
                Inserted::Stale => self.on_repetition(now, &header),
            }
        }
    }

    /// The peer repeats itself. If that is what our flight answered, the peer has missed the flight
    /// ([RFC 6347 §4.2.4](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4)). Anybody can repeat a message,
    /// so our flight follows no more often than four times in the time of a first retransmission.
    fn on_repetition(&mut self, now: Instant, header: &FragmentHeader) {
        self.stats.dropped_messages += 1;
        let is_recent = self
            .sent_at
            .is_some_and(|at| now - at < self.config.retransmit_initial / 4);
        if header.fragment_offset == 0 && self.flight.was_missed(header.message_seq) && !is_recent {
            self.repeat_flight();
        }
    }

    /// Hands whole messages to the state, in order.
    fn advance(&mut self, now: Instant) {
        while let Some(assembled) = self.reassembly.take() {
            let message = Message::parse(assembled.message_type, assembled.body());
            match message {
                Ok(Some(message)) if self.state.expects(assembled.message_type) => {
                    self.reassembly.consume();
                    self.on_message(now, &assembled, &message);
                }
                // noise: its place is free for the genuine message
                _ => {
                    tracing::debug!(role = ?self.role, message = ?assembled.message_type, "not expected: dropped");
                    self.stats.dropped_messages += 1;
                    return;
                }
            }
        }
    }

    fn on_message(&mut self, now: Instant, assembled: &Assembled, message: &Message<'_>) {
        let (seq, len) = (assembled.message_seq, assembled.body().len());
        tracing::debug!(role = ?self.role, message = ?assembled.message_type, seq, len, "received");
        self.start_handshake_timer(now);
        self.plaintext_alert = None;
        self.transcript.push(&assembled.bytes);
        let state = core::mem::replace(&mut self.state, State::Closed);
        let was_repeated = self.flight.is_repetition();
        let mut cx = Context {
            config: &self.config,
            path: self.path,
            message_seq: assembled.message_seq,
            transcript: &mut self.transcript,
            flight: &mut self.flight,
            records: &mut self.records,
            opener: &mut self.opener,
        };
        match state.handle(&mut cx, message) {
            Ok(next) => {
                let is_answered = self.flight.is_reply_to(assembled.message_seq);
                self.state = next;
                if is_answered {
                    self.on_new_flight(was_repeated);
                }
                if matches!(self.state, State::Connected(_)) {
                    self.on_connected();
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// The flight before has been answered. If it got through at once, so will the next, presumably
    /// ([RFC 6347 §4.2.4.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4.1)).
    fn on_new_flight(&mut self, was_repeated: bool) {
        self.timers.stop(Timer::Retransmit);
        self.sent_at = None;
        if !was_repeated {
            self.retransmit_after = self.config.retransmit_initial;
        }
    }
}
