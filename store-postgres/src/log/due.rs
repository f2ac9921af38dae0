//! What waits to be written, and what it builds on.

use annals::batch::{After, Link, Pending};

/// An append of a batch, with what it still builds on.
pub(super) struct Due {
    pub(super) pending: Pending,
    /// `Previous` means the one before it among those that are still due.
    pub(super) after: After,
}

impl Due {
    /// A batch as it arrived.
    pub(super) fn all(appends: Vec<Pending>) -> Vec<Self> {
        let due = |pending: Pending| {
            let after = if pending.follows { After::Previous } else { After::Nothing };
            Self { pending, after }
        };
        appends.into_iter().map(due).collect()
    }

    /// What it builds on was settled by itself: newly written, or not.
    pub(super) fn once_settled(self, is_written: bool) -> Self {
        let after = match self.after {
            After::Previous if is_written => After::Nothing,
            After::Previous => After::Broken,
            other => other,
        };
        Self { after, ..self }
    }
}

impl<'a> From<&'a Due> for Link<'a> {
    fn from(due: &'a Due) -> Self {
        Self { commit: &due.pending.commit, after: due.after }
    }
}
