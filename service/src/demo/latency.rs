//! How long commands take.

use hdrhistogram::Histogram;
use std::time::Duration;

/// The longest time that is told apart from longer ones: one hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// Three significant digits: a percentile is at most 0.1 % off.
const DIGITS: u8 = 3;

/// The times of many commands, in some 100 kB however many they are.
pub(super) struct Latency(Histogram<u64>);

impl Latency {
    pub(super) fn new() -> Self {
        let times = Histogram::new_with_bounds(1, LONGEST_US, DIGITS);
        Self(times.expect("these bounds are allowed"))
    }

    pub(super) fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US).max(1));
    }

    /// The time in milliseconds within which `percent` of the commands were answered; 0 when there was none.
    pub(super) fn percentile_ms(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_told_in_milliseconds() {
        let mut latency = Latency::new();
        assert_eq!(latency.percentile_ms(99.0), 0.0);
        (1..=100).for_each(|ms| latency.record(Duration::from_millis(ms)));
        for (percent, ms) in [(50.0, 50.0), (95.0, 95.0), (99.0, 99.0)] {
            let told = latency.percentile_ms(percent);
            assert!((told - ms).abs() / ms < 0.001, "p{percent} is {told} ms");
        }
    }
}
