//! When other processes hear of what is appended.

use std::time::Duration;
use tokio::time::Instant;

/// How soon one notification follows another, at most: readers in other processes hear of an append within this time,
/// and of one that comes alone at once.
///
/// A notification wakes a process of the server and a task for everybody who listens, ourselves included. One an
/// append took a lone writer half of its time.
pub const NOTICE_EVERY: Duration = Duration::from_millis(5);

/// One that is owed waits so long after an append for the next one, which carries it for nothing: a statement of its own
/// made each tenth append of a lone writer wait for it.
const NEXT_APPEND_WAIT: Duration = Duration::from_millis(1);

/// When the last notification went out, and since when one is owed for something that was appended.
#[derive(Debug, Default)]
pub(super) struct Notices {
    last: Option<Instant>,
    owed_since: Option<Instant>,
}

impl Notices {
    /// Whether the next append is to tell.
    pub(super) fn are_due(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now >= last + NOTICE_EVERY)
    }

    /// Something was appended, by a statement that `told` so or not.
    pub(super) fn appended(&mut self, told: bool, now: Instant) {
        if told {
            self.last = Some(now);
        }
        self.owed_since = (!told).then_some(now);
    }

    /// When others are to hear of what was appended, if they have not.
    pub(super) fn owed_at(&self) -> Option<Instant> {
        let (last, owed) = (self.last?, self.owed_since?);
        Some((last + NOTICE_EVERY).max(owed + NEXT_APPEND_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_told_at_once_and_the_last_of_many_in_time() {
        let (mut notices, begin) = (Notices::default(), Instant::now());
        assert!(notices.are_due(begin) && notices.owed_at().is_none());
        notices.appended(true, begin);
        let soon = begin + NOTICE_EVERY / 5;
        assert!(!notices.are_due(soon));
        notices.appended(false, soon);
        assert_eq!(notices.owed_at(), Some(begin + NOTICE_EVERY));
        let last = begin + NOTICE_EVERY - NEXT_APPEND_WAIT / 2;
        notices.appended(false, last);
        assert_eq!(notices.owed_at(), Some(last + NEXT_APPEND_WAIT), "the next append may carry it");
        assert!(notices.are_due(begin + NOTICE_EVERY));
        notices.appended(true, begin + NOTICE_EVERY);
        assert_eq!(notices.owed_at(), None);
    }
}
