//! When other processes hear of what is appended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How soon one notification follows another, at most: readers in other processes hear of an append within this time,
/// and of one that comes alone at once.
///
/// A notification wakes a process of the server and a task for everybody who listens, ourselves included. One an
/// append took a lone writer half of its time.
///
/// Processes that append at the same time share these notifications: each sends as many fewer as it hears of others,
/// down to one in [`NOTICE_WAIT_MAX`]. Whoever is woken by any of them sees what all have appended.
///
/// A store that is the only one to listen sends no more than that either, for programs that are not ours. Others that
/// begin to listen say so.
pub const NOTICE_EVERY: Duration = Duration::from_millis(5);

/// Within this time others are told of an append, however many processes append besides.
pub const NOTICE_WAIT_MAX: Duration = Duration::from_millis(40);

/// One that is owed waits so long after an append for the next one, which carries it for nothing: a statement of its
/// own made each tenth append of a lone writer wait for it.
const NEXT_APPEND_WAIT: Duration = Duration::from_millis(1);

/// Who else is there, as far as whoever listens has found out.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Found>);

#[derive(Debug, Default)]
struct Found {
    /// How many notifications came, ours among them. Anybody may send some: that wakes readers as well as ours do.
    notifications: AtomicU64,
    is_alone: AtomicBool,
}

impl Heard {
    pub(super) fn one_more(&self) {
        self.0.notifications.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes whether no other store listens.
    pub(super) fn note_alone(&self, is_alone: bool) {
        self.0.is_alone.store(is_alone, Ordering::Relaxed);
    }

    fn is_alone(&self) -> bool {
        self.0.is_alone.load(Ordering::Relaxed)
    }

    fn so_far(&self) -> u64 {
        self.0.notifications.load(Ordering::Relaxed)
    }
}

/// When the last notification went out, and since when one is owed for something that was appended.
#[derive(Debug)]
pub(super) struct Notices {
    heard: Heard,
    last: Option<Last>,
    owed_since: Option<Instant>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    heard_before: u64,
}

impl Notices {
    pub(super) fn counted_by(heard: Heard) -> Self {
        Self { heard, last: None, owed_since: None }
    }

    /// Whether the next append is to tell.
    pub(super) fn are_due(&self, now: Instant) -> bool {
        self.last.as_ref().is_none_or(|last| now >= self.next_after(last))
    }

    /// Something was appended, by a statement that `told` so or not.
    pub(super) fn appended(&mut self, told: bool, now: Instant) {
        if told {
            self.last = Some(Last { at: now, heard_before: self.heard.so_far() });
        }
        self.owed_since = (!told).then_some(now);
    }

    /// When others are to hear of what was appended, if they have not.
    pub(super) fn owed_at(&self) -> Option<Instant> {
        let (last, owed) = (self.last.as_ref()?, self.owed_since?);
        Some(self.next_after(last).max(owed + NEXT_APPEND_WAIT))
    }

    /// One turn for each that was heard since, ours among them.
    fn next_after(&self, last: &Last) -> Instant {
        if self.heard.is_alone() {
            return last.at + NOTICE_WAIT_MAX;
        }
        let turns = self.heard.so_far().saturating_sub(last.heard_before).max(1);
        last.at + NOTICE_EVERY.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX)).min(NOTICE_WAIT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_told_at_once_and_the_last_of_many_in_time() {
        let (mut notices, begin) = (Notices::counted_by(Heard::default()), Instant::now());
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

    #[test]
    fn whoever_is_alone_tells_as_seldom_as_may_be() {
        let (heard, begin) = (Heard::default(), Instant::now());
        let mut notices = Notices::counted_by(heard.clone());
        heard.note_alone(true);
        assert!(notices.are_due(begin), "a first one is told at once");
        notices.appended(true, begin);
        notices.appended(false, begin);
        assert_eq!(notices.owed_at(), Some(begin + NOTICE_WAIT_MAX));
        heard.note_alone(false);
        assert_eq!(notices.owed_at(), Some(begin + NOTICE_EVERY));
    }

    #[test]
    fn processes_that_append_at_the_same_time_share_the_notifications() {
        let (heard, begin) = (Heard::default(), Instant::now());
        let mut notices = Notices::counted_by(heard.clone());
        notices.appended(true, begin);
        // Ours, and two of others.
        (0..3).for_each(|_| heard.one_more());
        notices.appended(false, begin);
        assert!(!notices.are_due(begin + 2 * NOTICE_EVERY) && notices.are_due(begin + 3 * NOTICE_EVERY));
        assert_eq!(notices.owed_at(), Some(begin + 3 * NOTICE_EVERY));
        (0..1_000).for_each(|_| heard.one_more());
        assert_eq!(notices.owed_at(), Some(begin + NOTICE_WAIT_MAX));
        assert!(notices.are_due(begin + NOTICE_WAIT_MAX));
        notices.appended(true, begin + NOTICE_WAIT_MAX);
        assert!(notices.are_due(begin + NOTICE_WAIT_MAX + NOTICE_EVERY), "the others are gone");
    }
}
