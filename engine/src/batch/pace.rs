//! How long a writer on a thread of its own waits for stragglers.

use std::time::{Duration, Instant};

/// How long a batch is held open at most for senders that are expected back.
pub const STRAGGLER_WAIT_MAX: Duration = Duration::from_micros(100);

/// For this many senders or fewer nothing is gained by waiting.
const FEW: usize = 2;

/// After waits in vain no wait is tried for 1, 2, 4… batches, up to this many.
const PAUSE_BATCHES_MAX: u32 = 64;

/// Knows how many appends to expect: a thread would else seal half of them while the other half is being answered.
#[derive(Debug, Default)]
pub(super) struct Pace {
    expected: usize,
    in_vain: u32,
    pause: u32,
}

impl Pace {
    /// `answered` senders are about to get their answers, while `queued` more are in line already: whoever sends
    /// again as soon as it is answered makes that many together.
    pub(super) fn answering(&mut self, answered: usize, queued: usize) {
        self.expected = answered + queued;
    }

    /// Whether more than one sender was there.
    pub(super) fn expects_several(&self) -> bool {
        self.expected > 1
    }

    /// Calls `take` until it says that as many came as expected, at most for [`STRAGGLER_WAIT_MAX`].
    pub(super) fn wait(&mut self, take: impl FnMut() -> usize) {
        let mut began = None;
        self.wait_until(take, || began.get_or_insert_with(Instant::now).elapsed() >= STRAGGLER_WAIT_MAX);
    }

    /// The same with a clock that tests can turn.
    fn wait_until(&mut self, mut take: impl FnMut() -> usize, mut is_over: impl FnMut() -> bool) {
        let mut came = take();
        if self.expected <= FEW || came >= self.expected {
            return;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        let before = came;
        while came < self.expected && !is_over() {
            std::thread::yield_now();
            came = take();
        }
        // Half of those missing are worth a wait: what counts is that two half-batches grow together.
        if 2 * (came - before) >= self.expected - before {
            self.in_vain = 0;
        } else {
            self.in_vain += 1;
            self.pause =
                1_u32.checked_shl(self.in_vain - 1).map_or(PAUSE_BATCHES_MAX, |p| p.min(PAUSE_BATCHES_MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With time for nine more looks after the first.
    fn takes_until_sealed(pace: &mut Pace, mut arrivals: impl FnMut(usize) -> usize) -> usize {
        let (mut takes, mut looks) = (0, 0);
        let take = || {
            takes += 1;
            arrivals(takes)
        };
        pace.wait_until(take, || {
            looks += 1;
            looks > 9
        });
        takes
    }

    #[test]
    fn a_lone_writer_waits_for_nobody() {
        let mut pace = Pace::default();
        pace.answering(1, 0);
        assert_eq!(takes_until_sealed(&mut pace, |_| 1), 1);
        pace.answering(1, 1);
        assert_eq!(takes_until_sealed(&mut pace, |_| 1), 1);
    }

    #[test]
    fn two_halves_become_one_batch() {
        let mut pace = Pace::default();
        pace.answering(32, 32);
        assert_eq!(takes_until_sealed(&mut pace, |takes| if takes < 5 { 32 } else { 64 }), 5);
    }

    #[test]
    fn senders_that_do_not_come_back_are_soon_not_waited_for() {
        let mut pace = Pace::default();
        let mut waits = 0;
        for _ in 0..200 {
            pace.answering(10, 10);
            waits += usize::from(takes_until_sealed(&mut pace, |_| 10) > 1);
        }
        assert!((2..12).contains(&waits), "{waits}");
    }
}
