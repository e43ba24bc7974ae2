//! What a receiver reports on a stream
//! ([RFC 3550 §6.4.1, A.3, A.8](https://www.rfc-editor.org/rfc/rfc3550#appendix-A.3)).

use rtckit_proto::Instant;

use crate::rtcp::{ReportBlock, SenderInfo};
use crate::send::ticks;

/// Loss, jitter and the last sender report.
#[derive(Clone, Debug, Default)]
pub(super) struct Reception {
    /// The first and the highest index received.
    range: Option<(u64, u64)>,
    /// How many different packets were received.
    received: u64,
    /// `expected` and `received` when the last report was made.
    prior: (u64, u64),
    /// The transit time of the last packet in order, in ticks, from any origin.
    transit: Option<u32>,
    /// The jitter estimate in 1/16 tick.
    jitter: u32,
    last_sr: Option<(u32, Instant)>,
}

impl Reception {
    /// A packet was received for the first time.
    ///
    /// Only packets in order count for jitter: one sent again was late for reasons that are not the network's
    /// jitter, and would spoil the estimate.
    pub(super) fn packet(&mut self, now: Instant, index: u64, timestamp: u32, clock_rate: u32) {
        self.received += 1;
        let (first, highest) = self.range.unwrap_or((index, index));
        let in_order = self.range.is_none() || index > highest;
        self.range = Some((first.min(index), highest.max(index)));
        if in_order {
            let arrival = ticks(now.duration_since(Instant::ZERO), clock_rate);
            self.transit(arrival.wrapping_sub(timestamp));
        }
    }

    /// RFC 3550 A.8, in the integer form of the text.
    fn transit(&mut self, transit: u32) {
        if let Some(before) = self.transit {
            let difference = transit.wrapping_sub(before) as i32;
            // a jump of the timestamps (2^28 ticks are 50 minutes of video) is not jitter
            let difference = difference.unsigned_abs().min(1 << 27);
            self.jitter = self.jitter - ((self.jitter + 8) >> 4) + difference;
        }
        self.transit = Some(transit);
    }

    /// A sender report came.
    pub(super) fn sender_report(&mut self, now: Instant, report: &SenderInfo) {
        self.last_sr = Some((report.ntp.middle(), now));
    }

    /// Interarrival jitter in ticks.
    pub(super) fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    fn expected(&self) -> u64 {
        self.range.map_or(0, |(first, highest)| highest - first + 1)
    }

    /// Packets that were sent, as far as can be told, and did not come.
    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// RFC 3550 A.3: all fields but the SSRC. The fraction is that of the time since the last call.
    pub(super) fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let (_, highest) = self.range?;
        let (expected, received) = (self.expected(), self.received);
        let expected_now = expected - self.prior.0;
        let received_now = received - self.prior.1;
        self.prior = (expected, received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now << 8).checked_div(expected_now).unwrap_or(0);
        let (start, end) = (*ReportBlock::LOST.start(), *ReportBlock::LOST.end());
        let delay = |at| ticks(now.duration_since(at), 1 << 16);
        Some(ReportBlock {
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: self.lost().clamp(start.into(), end.into()) as i32,
            highest_sequence: highest as u32,
            jitter: self.jitter(),
            last_sr: self.last_sr.map_or(0, |(middle, _)| middle),
            delay_since_last_sr: self.last_sr.map_or(0, |(_, at)| delay(at)),
            ..ReportBlock::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// RFC 3550 §6.4.1: J += (|D| - J) / 16, in real numbers.
    fn naive_jitter(packets: &[(u64, u32)]) -> f64 {
        let transit =
            |&(millis, timestamp): &(u64, u32)| millis as f64 * 90.0 - f64::from(timestamp);
        packets.windows(2).fold(0.0, |jitter, pair| {
            let difference = (transit(&pair[1]) - transit(&pair[0])).abs();
            jitter + (difference - jitter) / 16.0
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn jitter_is_that_of_the_formula(delays in prop::collection::vec(0u64..60, 2..300)) {
            let packets: Vec<(u64, u32)> = delays
                .iter()
                .enumerate()
                .map(|(n, delay)| (n as u64 * 33 + delay, n as u32 * 2_970))
                .collect();
            let mut reception = Reception::default();
            for (n, &(millis, timestamp)) in packets.iter().enumerate() {
                reception.packet(Instant::from_millis(millis), n as u64, timestamp, 90_000);
            }
            // the integer form rounds each step
            let error = f64::from(reception.jitter()) - naive_jitter(&packets);
            prop_assert!(error.abs() <= 2.0, "{error}");
        }
    }

    #[test]
    fn loss_is_that_of_appendix_a_3() {
        let mut reception = Reception::default();
        let now = Instant::ZERO;
        assert_eq!(reception.report(now), None);
        for index in [10, 11, 13, 14] {
            reception.packet(now, index, 0, 90_000);
        }
        let report = reception.report(now).unwrap();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (51, 1));
        assert_eq!(report.highest_sequence, 14);
        // nothing new: no fraction; then the lost one comes, and one more than was expected
        let report = reception.report(now).unwrap();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 1));
        reception.packet(now, 12, 0, 90_000);
        reception.packet(now, 65_536, 0, 90_000);
        let report = reception.report(now).unwrap();
        assert_eq!(report.highest_sequence, 0x1_0000);
        assert_eq!(report.cumulative_lost, 65_521);
        assert_eq!(report.fraction_lost, 255);
    }

    #[test]
    fn the_delay_since_the_last_sender_report_is_in_65536ths_of_a_second() {
        let mut reception = Reception::default();
        reception.packet(Instant::ZERO, 1, 0, 90_000);
        let report = reception.report(Instant::ZERO).unwrap();
        assert_eq!((report.last_sr, report.delay_since_last_sr), (0, 0));
        let sender = SenderInfo {
            ntp: rtckit_proto::NtpTime(0x0000_1234_5678_0000),
            ..SenderInfo::default()
        };
        reception.sender_report(Instant::from_millis(500), &sender);
        let report = reception.report(Instant::from_millis(1_750)).unwrap();
        assert_eq!(report.last_sr, 0x1234_5678);
        assert_eq!(report.delay_since_last_sr, 0x1_4000);
    }
}
