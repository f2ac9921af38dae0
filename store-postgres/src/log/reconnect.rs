//! How long the writer waits before it connects again.

use crate::CONNECT_WAIT_MAX;
use std::time::Duration;
use tokio::time::Instant;

/// The wait after the first try that failed; each further one in a row is twice as long.
pub const RECONNECT_WAIT_FIRST: Duration = Duration::from_millis(50);

/// The longest such wait.
pub const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(1);

/// How soon the writer is connected again once the server is back, at most: a try that began just before that fails,
/// and the longest wait follows.
///
/// This begins when the writer knows that its connection is lost. One that died without a word (the network went, the
/// machine was switched off) is given up only when an append has had no answer for `ANSWER_MAX`, which is 65 seconds.
pub const RECONNECTED_WITHIN: Duration = CONNECT_WAIT_MAX.saturating_add(RECONNECT_WAIT_MAX);

/// When the next try is due.
#[derive(Debug)]
pub(super) struct Reconnect {
    wait: Duration,
    at: Instant,
}

impl Reconnect {
    pub(super) fn at_once(now: Instant) -> Self {
        Self { wait: RECONNECT_WAIT_FIRST, at: now }
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Another try failed.
    pub(super) fn failed(&mut self, now: Instant) {
        self.at = now + self.wait;
        self.wait = (self.wait * 2).min(RECONNECT_WAIT_MAX);
    }

    /// A try succeeded.
    pub(super) fn connected(&mut self) {
        self.wait = RECONNECT_WAIT_FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program promises whoever waits for a server: the first append succeeds within 5 s after it is back.
    #[test]
    fn a_server_that_is_back_is_noticed_within_five_seconds() {
        assert!(RECONNECTED_WITHIN <= Duration::from_secs(5), "{RECONNECTED_WITHIN:?}");
        let now = Instant::now();
        let mut reconnect = Reconnect::at_once(now);
        assert_eq!(reconnect.at(), now);
        let mut waits = vec![];
        for _ in 0..100 {
            reconnect.failed(now);
            waits.push(reconnect.at() - now);
        }
        assert_eq!(waits[..3], [50, 100, 200].map(Duration::from_millis));
        assert_eq!(waits.iter().max(), Some(&RECONNECT_WAIT_MAX));
        reconnect.connected();
        reconnect.failed(now);
        assert_eq!(reconnect.at() - now, RECONNECT_WAIT_FIRST);
    }
}
