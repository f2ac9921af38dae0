//! The short way for what an import or a large command sends: one commit, of which less has to be said.

use super::types::Interned;
use crate::json_text::JsonText;
use annals::{
    EventData, Write,
    batch::{Accepted, Placed, Plan},
};
use sqlx::{Postgres, postgres::PgArguments, query::Query};

/// A plan that is one commit to one stream, all of whose events have the same metadata, as those of a command do.
///
/// Its rows differ in event id, type and payload only; to unpack the rest row by row takes a fifth of the whole append.
pub(super) struct OneCommit<'a> {
    write: &'a Write,
    placed: Placed,
    /// What all events have.
    metadata: &'a str,
}

impl<'a> OneCommit<'a> {
    pub(super) fn of(plan: &Plan<'a>) -> Option<Self> {
        let mut accepted = plan.accepted();
        let Accepted { commit, placed, .. } = accepted.next()?;
        let ([write], &[placed], None) = (commit.writes(), placed.as_slice(), accepted.next()) else {
            return None;
        };
        let metadata = write.events.first()?.metadata.as_str();
        let is_shared = write.events.iter().all(|event| event.metadata.as_str() == metadata);
        is_shared.then_some(Self { write, placed, metadata })
    }

    /// Its stream begins with it.
    pub(super) fn begins(&self) -> bool {
        self.placed.is_new
    }

    /// Binds what `append_commit.sql` wants, and `first_begun.sql`.
    pub(super) fn bind(
        &self,
        query: Query<'a, Postgres, PgArguments>,
        types: &Interned,
    ) -> Query<'a, Postgres, PgArguments> {
        let Self { write, placed, metadata } = self;
        let before = placed.first.to_i64() - 1;
        let query = query.bind(placed.stream.to_i64()).bind(before);
        let query = query.bind(self.each(|event| event.id.uuid()));
        let query = query.bind(self.each(|event| types.id_of(&write.stream, event)));
        let query = query.bind(JsonText(metadata)).bind(self.each(|event| JsonText(event.payload.as_str())));
        if self.begins() { query.bind(write.stream.as_str()) } else { query }
    }

    fn each<T>(&self, of: impl Fn(&'a EventData) -> T) -> Vec<T> {
        self.write.events.iter().map(of).collect()
    }
}
