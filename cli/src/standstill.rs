//! How long somebody else is waited for.

use std::time::{Duration, Instant};

/// Waits for somebody who moves, and not for ever for somebody who does not.
pub(crate) struct Standstill<T> {
    max: Duration,
    seen: Option<T>,
    since: Instant,
}

impl<T: PartialEq> Standstill<T> {
    /// Nobody stands still yet. `max` is how long they may.
    pub(crate) fn new(max: Duration) -> Self {
        Self { max, seen: None, since: Instant::now() }
    }

    /// Whether to wait on for somebody who is seen at `at`.
    pub(crate) fn bears(&mut self, at: T) -> bool {
        if self.seen.as_ref() != Some(&at) {
            (self.seen, self.since) = (Some(at), Instant::now());
        }
        self.since.elapsed() < self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use annals::Position;

    #[test]
    fn who_moves_is_waited_for_and_who_stands_still_is_not() {
        let mut long = Standstill::new(Duration::from_secs(3_600));
        assert!([1, 1, 2].map(|at| long.bears(Position::new(at))).into_iter().all(|waits| waits));
        long.since -= long.max;
        assert!(!long.bears(Position::new(2)), "it stood still for an hour");
        // One that begins anew moves too.
        assert!(long.bears(Position::new(1)));
    }
}
