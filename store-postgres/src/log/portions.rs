//! How many rows one statement reads, and which one.

use super::row::Page;
use annals::PageLimit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A page of the log ends when its payloads and metadata hold this many bytes: 16 MiB.
pub(super) const PAGE_BYTES_MAX: usize = 16 << 20;

/// A page that is likely to have no more events than this is read with their names, in one round trip.
const FEW: usize = 64;

/// How many rows are asked for as long as nothing is known of their size.
const ROWS_FIRST: usize = 1_000;

/// Asks for as many rows as a page has room for, going by the size of those that came before: what a statement sends
/// too much costs its connection.
#[derive(Debug)]
pub(super) struct Portions {
    /// What the rows of the last page took.
    row_bytes: AtomicUsize,
    /// How many there were.
    rows: AtomicUsize,
}

impl Default for Portions {
    fn default() -> Self {
        Self { row_bytes: AtomicUsize::new(PAGE_BYTES_MAX / ROWS_FIRST), rows: AtomicUsize::new(0) }
    }
}

impl Portions {
    /// How many rows to ask for behind those of `page`, which has room for some.
    pub(super) fn next(&self, page: &Page, limit: PageLimit) -> usize {
        let known = self.row_bytes.load(Ordering::Relaxed);
        let row_bytes = page.bytes().checked_div(page.len()).unwrap_or(known);
        let fit = PAGE_BYTES_MAX.saturating_sub(page.bytes()) / row_bytes.max(1);
        fit.clamp(1, limit.get() - page.len())
    }

    /// Whether the next page probably holds few events, as the last one did.
    pub(super) fn are_few(&self, limit: PageLimit) -> bool {
        limit.get().min(self.rows.load(Ordering::Relaxed)) <= FEW
    }

    /// Remembers how many rows `page` had, and how large they were.
    pub(super) fn learn(&self, page: &Page) {
        self.rows.store(page.len(), Ordering::Relaxed);
        if let Some(row_bytes) = page.bytes().checked_div(page.len()) {
            self.row_bytes.store(row_bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_fits_by_what_came_before() {
        let portions = Portions::default();
        assert_eq!(portions.next(&Page::default(), PageLimit::MAX), ROWS_FIRST);
        assert_eq!(portions.next(&Page::default(), PageLimit::ONE), 1);
        // Of 20 kB each.
        portions.row_bytes.store(20_000, Ordering::Relaxed);
        assert_eq!(portions.next(&Page::default(), PageLimit::MAX), PAGE_BYTES_MAX / 20_000);
        portions.row_bytes.store(200, Ordering::Relaxed);
        assert_eq!(portions.next(&Page::default(), PageLimit::MAX), PageLimit::MAX.get());
        assert!(portions.are_few(PageLimit::MAX), "nothing was read yet");
        portions.rows.store(FEW + 1, Ordering::Relaxed);
        assert!(!portions.are_few(PageLimit::MAX) && portions.are_few(PageLimit::ONE));
        // Larger than a page, or of no size at all.
        for row_bytes in [usize::MAX, 0] {
            portions.row_bytes.store(row_bytes, Ordering::Relaxed);
            assert!((1..=PageLimit::MAX.get()).contains(&portions.next(&Page::default(), PageLimit::MAX)));
        }
    }
}
