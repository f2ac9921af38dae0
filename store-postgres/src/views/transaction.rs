//! Several statements that count together or not at all.

use super::{PostgresDocuments, Sql};
use crate::{server::ANSWER_MAX, session::Loan};
use annals::StoreError;
use sqlx::{
    AssertSqlSafe, Decode, Error, PgConnection, Postgres, Row, Type,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// Why a transaction is taken back: the database failed, or what was asked for is refused.
pub(super) enum Halt<E> {
    Database(Error),
    Refused(E),
}

impl<E> From<Error> for Halt<E> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// A transaction. Dropped before its end, it is taken back, and its connection closed.
pub(super) struct Transaction<'s> {
    store: &'s PostgresDocuments,
    loan: Loan,
    doing: &'static str,
}

impl<'s> Transaction<'s> {
    /// `begin` is the command that begins it.
    pub(super) async fn begin(
        store: &'s PostgresDocuments,
        doing: &'static str,
        begin: &'static str,
    ) -> Result<Self, StoreError> {
        let loan = store.connections.begin(begin).await.map_err(|error| store.failed(doing, error))?;
        Ok(Self { store, loan, doing })
    }

    pub(super) fn store(&self) -> &'s PostgresDocuments {
        self.store
    }

    pub(super) fn sql(&self) -> &'s Sql {
        &self.store.sql
    }

    pub(super) async fn rows(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        self.loan.session.step(query).await
    }

    pub(super) async fn act(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<u64, Error> {
        self.loan.session.act(query).await
    }

    /// The one value that `query` answers.
    pub(super) async fn answer<T>(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<T, Error>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        self.rows(query).await?.first().ok_or(Error::RowNotFound)?.try_get(0)
    }

    /// A command of ours without parameters.
    pub(super) async fn say(&mut self, command: &'static str) -> Result<(), Error> {
        self.loan.session.say(command).await
    }

    /// Carries out `text`, in which every name was checked and is quoted; the names of the schemas are filled in.
    pub(super) async fn make(&mut self, text: &str) -> Result<(), Error> {
        let text = self.store.connections.server.options.schema.fill(text);
        self.loan.session.make(text).await
    }

    /// The same, of what is done at once.
    pub(super) async fn set(&mut self, text: &str) -> Result<(), Error> {
        let text = self.store.connections.server.options.schema.fill(text);
        self.loan.session.make_within(ANSWER_MAX, text).await
    }

    /// What `text` answers, in which every name was checked or quoted. It may take [`MAKING_WAIT_MAX`](crate::MAKING_WAIT_MAX).
    pub(super) async fn made(&mut self, text: &str) -> Result<Vec<PgRow>, Error> {
        let text = self.store.connections.server.options.schema.fill(text);
        // Safe: see above.
        self.long_rows(sqlx::query(AssertSqlSafe(text)).persistent(false)).await
    }

    /// What `query` answers, which may take [`MAKING_WAIT_MAX`](crate::MAKING_WAIT_MAX).
    pub(super) async fn long_rows(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        self.loan.session.long_step(query).await
    }

    /// The name of the schema in which read models are shown.
    pub(super) fn shown(&self) -> String {
        self.store.connections.server.options.schema.shown()
    }

    /// The name of the schema of the tables that the author of generation `id` made.
    pub(super) fn tables(&self, id: i64) -> String {
        self.store.connections.server.options.schema.tables(id)
    }

    /// The connection, for whoever writes statements of their own.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.loan.session.connection()
    }

    /// Commits what was done, or takes back what was refused.
    pub(super) async fn end<T, E: From<StoreError>>(mut self, done: Result<T, Halt<E>>) -> Result<T, E> {
        let (store, doing) = (self.store, self.doing);
        let ended = match &done {
            Ok(_) => self.loan.session.say("COMMIT").await,
            Err(Halt::Refused(_)) => self.loan.session.say("ROLLBACK").await,
            Err(Halt::Database(_)) => return done.map_err(|halt| halt.tell(store, doing)),
        };
        ended.map_err(|error| store.failed(doing, error))?;
        self.loan.give_back();
        if done.is_ok() {
            store.tell_moved();
        }
        done.map_err(|halt| halt.tell(store, doing))
    }
}

impl<E: From<StoreError>> Halt<E> {
    fn tell(self, store: &PostgresDocuments, doing: &'static str) -> E {
        match self {
            Self::Refused(refused) => refused,
            Self::Database(error) => store.failed(doing, error).into(),
        }
    }
}
