//! How long somebody else is waited for.

use annals::Position;
use std::time::{Duration, Instant};

/// Waits for somebody who moves, and not for ever for somebody who does not.
pub(crate) struct Standstill {
    max: Duration,
    seen: Position,
    since: Instant,
}

impl Standstill {
    /// Nobody stands still yet. `max` is how long they may.
    pub(crate) fn new(max: Duration) -> Self {
        Self { max, seen: Position::START, since: Instant::now() }
    }

    /// Whether to wait on for somebody who is seen at `at`.
    pub(crate) fn bears(&mut self, at: Position) -> bool {
        if at != self.seen {
            (self.seen, self.since) = (at, Instant::now());
        }
        self.since.elapsed() < self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
