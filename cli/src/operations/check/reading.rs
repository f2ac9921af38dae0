//! Reading a log of which a part may be damaged: what lies behind the damage is read all the same.

use annals::{EventStore, LogFilter, LogPage, PageLimit, Position, StoreError};

/// After so many events that cannot be read the reading is given up.
pub const UNREADABLE_MAX: u64 = 100;

/// Reads a log page by page. A page that cannot be read is read event by event, to find out which cannot.
pub(super) struct Reading<'a> {
    store: &'a dyn EventStore,
    at: Position,
    /// Up to here event by event.
    careful_through: Position,
    unreadable: u64,
    ended: bool,
}

/// What came next.
pub(super) enum Next {
    Page(LogPage),
    /// An event that cannot be read, or the end of the reading.
    Problem(String),
}

impl<'a> Reading<'a> {
    pub(super) fn of(store: &'a dyn EventStore) -> Self {
        let (at, careful_through) = (Position::START, Position::START);
        Self { store, at, careful_through, unreadable: 0, ended: false }
    }

    /// The next page, or the next problem; none at the end of the log.
    ///
    /// # Errors
    /// Only what may pass: the check can be done later.
    pub(super) async fn next(&mut self) -> Result<Option<Next>, StoreError> {
        while !self.ended {
            let careful = self.at < self.careful_through;
            let limit = if careful { PageLimit::ONE } else { PageLimit::DEFAULT };
            match self.store.read_log(self.at, limit, &LogFilter::all()).await {
                Ok(page) => {
                    self.ended = page.is_at_head() || page.looked <= self.at;
                    self.at = page.looked;
                    return Ok(Some(Next::Page(page)));
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(_) if !careful => self.careful_through = self.at.plus(PageLimit::DEFAULT.get() as u64),
                Err(error) => return Ok(Some(Next::Problem(self.step_over(&error)))),
            }
        }
        Ok(None)
    }

    fn step_over(&mut self, error: &StoreError) -> String {
        let (at, reason) = (self.at, annals::error_text(error));
        self.unreadable += 1;
        self.at = at.plus(1);
        if self.unreadable == UNREADABLE_MAX {
            self.ended = true;
            return format!(
                "the event behind position {at} cannot be read, the last of {UNREADABLE_MAX}: what follows was not read: \
                 {reason}"
            );
        }
        self.ended = self.at >= *self.store.head().borrow();
        format!("the event behind position {at} cannot be read: {reason}")
    }
}
