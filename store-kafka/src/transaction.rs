//! What goes out together: how many records, and how long it may take.

use crate::{TRANSACTION_RECORDS_MAX, control::Control};
use annals::{LogPage, Position};
use std::time::{Duration, Instant};

/// A transaction is ended when it is so old, however few records it has: it keeps consumers from seeing them. What
/// follows a log ends with its page, sooner.
const FILLS_MAX: Duration = Duration::from_millis(100);

/// The same far behind the end of the log, where nobody waits for the next event and each transaction costs some tens
/// of milliseconds in which nothing is sent.
const FILLS_FAR_BEHIND_MAX: Duration = Duration::from_millis(500);

/// How long the next transaction waits behind one that was committed. The broker writes its end to each partition after it
/// has answered, and refuses whoever begins another meanwhile; the client asks again only 20 ms later
/// (`CONCURRENT_TRANSACTIONS` in librdkafka's `rdkafka_txnmgr.c`). Without this wait a fifth of all transactions met that
/// on a busy disk, with it a twentieth.
const MARKERS_WAIT: Duration = Duration::from_millis(3);

/// The clock is looked at once for so many records: each look costs as much as a header.
const CLOCK_RECORDS: usize = 64;

/// So many events behind the end is far.
const FAR_BEHIND: u64 = 20_000;

/// What comes after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// Perhaps nothing for a while: consumers are to see what there is.
    Nothing,
    /// Another page at once, and more behind it.
    FarBehind,
}

impl More {
    pub(crate) fn behind(page: &LogPage) -> Self {
        if page.head.since(page.looked) >= FAR_BEHIND { Self::FarBehind } else { Self::Nothing }
    }
}

/// How long to wait yet before a transaction begins, where one was committed at `ended`.
pub(crate) fn markers_wait(ended: Option<Instant>) -> Duration {
    ended.map_or(Duration::ZERO, |ended| MARKERS_WAIT.saturating_sub(ended.elapsed()))
}

/// A transaction that was begun and is not ended.
#[derive(Debug)]
pub(crate) struct Transaction {
    /// Where the publisher stands when it counts.
    pub(crate) next: Control,
    records: usize,
    began: Instant,
}

impl Transaction {
    pub(crate) fn behind(committed: &Control) -> Self {
        Self { next: committed.clone(), records: 0, began: Instant::now() }
    }

    /// The event at `position` is in it.
    pub(crate) fn sent(&mut self, position: Position) {
        self.next.position = position;
        self.records += 1;
    }

    /// Whether it takes no more records; to be asked before each.
    pub(crate) fn is_full(&self, more: More) -> bool {
        let looks = self.records > 0 && self.records.is_multiple_of(CLOCK_RECORDS);
        self.records >= TRANSACTION_RECORDS_MAX || (looks && self.is_due(more))
    }

    /// Whether it is time to end it, also where a filter left all events out: how far it came is not to be lost.
    pub(crate) fn is_due(&self, more: More) -> bool {
        let fills_max = match more {
            More::Nothing => FILLS_MAX,
            More::FarBehind => FILLS_FAR_BEHIND_MAX,
        };
        self.records >= TRANSACTION_RECORDS_MAX || self.began.elapsed() > fills_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(looked: u64, head: u64) -> LogPage {
        LogPage::new(vec![], Position::START, Position::new(looked), Position::new(head))
    }

    #[test]
    fn only_far_behind_the_end_it_waits_for_the_next_page() {
        assert_eq!(More::behind(&page(5, 5)), More::Nothing);
        assert_eq!(More::behind(&page(5, 4 + FAR_BEHIND)), More::Nothing);
        assert_eq!(More::behind(&page(5, 5 + FAR_BEHIND)), More::FarBehind);
    }

    #[test]
    fn it_begins_at_once_unless_one_was_just_committed() {
        assert_eq!(markers_wait(None), Duration::ZERO);
        assert_eq!(markers_wait(Some(Instant::now() - MARKERS_WAIT)), Duration::ZERO);
        // Ahead of the clock, so that no time has passed, however slow the test is.
        let ahead = Instant::now() + Duration::from_secs(60);
        assert_eq!(markers_wait(Some(ahead)), MARKERS_WAIT);
    }

    #[test]
    fn it_is_full_at_its_limit_and_due_with_time_also_without_records() {
        let mut transaction = Transaction::behind(&Control::at(Position::START));
        transaction.began -= 2 * FILLS_FAR_BEHIND_MAX;
        assert!(!transaction.is_full(More::Nothing) && transaction.is_due(More::FarBehind));
        transaction.began = Instant::now() + Duration::from_secs(60);
        assert!(!transaction.is_due(More::FarBehind));
        for position in 1..TRANSACTION_RECORDS_MAX as u64 {
            transaction.sent(Position::new(position));
        }
        assert!(!transaction.is_full(More::FarBehind));
        transaction.sent(Position::new(TRANSACTION_RECORDS_MAX as u64));
        assert!(transaction.is_full(More::FarBehind) && transaction.is_full(More::Nothing));
    }

    #[test]
    fn it_lasts_longer_far_behind_the_end() {
        let mut transaction = Transaction::behind(&Control::at(Position::START));
        (1..=CLOCK_RECORDS as u64).for_each(|position| transaction.sent(Position::new(position)));
        transaction.began -= 2 * FILLS_MAX;
        assert!(transaction.is_full(More::Nothing) && !transaction.is_full(More::FarBehind));
        transaction.began -= FILLS_FAR_BEHIND_MAX;
        assert!(transaction.is_full(More::FarBehind));
    }
}
