//! One connection, and a few of them that take turns.

use crate::{
    MAKING_WAIT_MAX,
    failure::{ServerFailed, is_lost},
    server::{ANSWER_MAX, CONNECTIONS_MAX, Plans, Server, begin_within_waits, timed_out},
};
use annals::StoreError;
use futures_util::{TryStreamExt, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Error, PgConnection, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What begins a transaction around one statement.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// How often a read is tried when connections turn out to be lost that lay idle: the server was started anew.
const TRIES: usize = 3;

/// One connection.
pub(crate) struct Session {
    connection: PgConnection,
    /// Each transaction may meet another connection of the server.
    pooled: bool,
    plans: Plans,
}

impl Session {
    pub(crate) fn of(connection: PgConnection, pooled: bool, plans: Plans) -> Self {
        Self { connection, pooled, plans }
    }

    /// What `query` answers, in a transaction of its own.
    pub(crate) async fn rows(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        if !self.pooled {
            return self.step(query).await;
        }
        // Behind a pooler what is prepared is gone when the transaction ends, so one is held around both steps.
        self.begin(BEGIN).await?;
        let answered = self.step(query).await;
        self.say(if answered.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        answered
    }

    /// Hands each row that `query` answers to `take` as it comes, in a transaction of its own, until that wants no
    /// more; whether it got all. If not, this connection is of no more use: the rest is on its way.
    pub(crate) async fn each(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
        take: &mut (impl FnMut(&PgRow) -> Result<bool, Error> + Send),
    ) -> Result<bool, Error> {
        if !self.pooled {
            return answered(taken(query.fetch(&mut self.connection), take)).await;
        }
        self.begin(BEGIN).await?;
        let all = answered(taken(query.fetch(&mut self.connection), take)).await?;
        if all {
            self.say("COMMIT").await?;
        }
        Ok(all)
    }

    /// Begins a transaction in which no step takes longer than the limits of `server.rs`.
    pub(crate) async fn begin(&mut self, begin: &'static str) -> Result<(), Error> {
        if !self.pooled {
            return self.say(begin).await;
        }
        let text = sqlx::raw_sql(AssertSqlSafe(begin_within_waits(begin, self.plans)));
        answered(text.execute(&mut self.connection)).await.map(|_| ())
    }

    /// What `query` answers, within a transaction that was begun.
    pub(crate) async fn step(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        answered(query.fetch_all(&mut self.connection)).await
    }

    /// Carries out `query`, within a transaction that was begun, or alone where there is no pooler; how many rows it
    /// changed.
    pub(crate) async fn act(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<u64, Error> {
        Ok(answered(query.execute(&mut self.connection)).await?.rows_affected())
    }

    /// A command without parameters.
    pub(crate) async fn say(&mut self, command: &'static str) -> Result<(), Error> {
        answered(sqlx::raw_sql(command).execute(&mut self.connection)).await.map(|_| ())
    }

    /// A command that was put together. Every name in it was checked and is quoted. It may take [`MAKING_WAIT_MAX`].
    pub(crate) async fn make(&mut self, text: String) -> Result<(), Error> {
        self.make_within(MAKING_WAIT_MAX, text).await
    }

    /// The same, sooner.
    pub(crate) async fn make_within(&mut self, wait: Duration, text: String) -> Result<(), Error> {
        let made = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut self.connection);
        answered_within(wait, made).await.map(|_| ())
    }

    /// What `query` answers, which may take [`MAKING_WAIT_MAX`].
    pub(crate) async fn long_step(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        answered_within(MAKING_WAIT_MAX, query.fetch_all(&mut self.connection)).await
    }

    /// Whether `setting` is on. In one message, so that it can be asked of whatever answers.
    pub(crate) async fn is_set(&mut self, setting: &'static str) -> Result<bool, Error> {
        let asked = format!("SELECT current_setting('{setting}', true) IS NOT DISTINCT FROM 'on'");
        let rows = answered(sqlx::raw_sql(AssertSqlSafe(asked)).fetch_all(&mut self.connection)).await?;
        rows.first().map_or(Ok(false), |row| row.try_get(0))
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

async fn taken(
    mut rows: BoxStream<'_, Result<PgRow, Error>>,
    take: &mut (impl FnMut(&PgRow) -> Result<bool, Error> + Send),
) -> Result<bool, Error> {
    while let Some(row) = rows.try_next().await? {
        if !take(&row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn answered<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    answered_within(ANSWER_MAX, answer).await
}

async fn answered_within<T>(
    wait: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(wait, answer).await.unwrap_or_else(|_| Err(timed_out()))
}

/// A few connections that take turns; made when they are needed, kept as long as they work.
///
/// Not the driver's own pool: that one asks the server whether a connection still lives after every use.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) server: Arc<Server>,
    idle: Arc<Mutex<Vec<Session>>>,
    made: Arc<AtomicU64>,
    permits: Arc<Semaphore>,
}

/// A connection on loan. Dropped without [`Loan::give_back`] it is closed, and what it had begun is taken back.
pub(crate) struct Loan {
    pub(crate) session: Session,
    was_idle: bool,
    home: Connections,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn to(server: Arc<Server>) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { server, idle: Arc::default(), made: Arc::default(), permits }
    }

    /// What `query` answers; made anew for another try when an idle connection was lost, so it must only read.
    pub(crate) async fn rows<'q>(
        &self,
        doing: &'static str,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_rows(query).await.map_err(|error| self.failed(doing, error))
    }

    /// The same, for whoever looks at the error.
    pub(crate) async fn try_rows<'q>(
        &self,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Error> {
        let mut tried = 1;
        loop {
            let mut loan = self.loan().await?;
            match loan.session.rows(query()).await {
                Ok(rows) => {
                    loan.give_back();
                    return Ok(rows);
                }
                Err(error) if self.may_try_again(&loan, &mut tried, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands each row that `query` answers to `take` as it comes, until that wants no more. Nothing is tried again once
    /// a row has come.
    pub(crate) async fn each<'q>(
        &self,
        doing: &'static str,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
        mut take: impl FnMut(&PgRow) -> Result<bool, Error> + Send,
    ) -> Result<(), StoreError> {
        let mut tried = 1;
        loop {
            let mut came = false;
            let mut take = |row: &PgRow| {
                came = true;
                take(row)
            };
            let mut loan = self.loan().await.map_err(|error| self.failed(doing, error))?;
            match loan.session.each(query(), &mut take).await {
                Ok(all) => {
                    if all {
                        loan.give_back();
                    }
                    return Ok(());
                }
                Err(error) if !came && self.may_try_again(&loan, &mut tried, &error) => {}
                Err(error) => return Err(self.failed(doing, error)),
            }
        }
    }

    /// A connection on which a transaction was begun by `begin`.
    pub(crate) async fn begin(&self, begin: &'static str) -> Result<Loan, Error> {
        let mut tried = 1;
        loop {
            let mut loan = self.loan().await?;
            match loan.session.begin(begin).await {
                Ok(()) => return Ok(loan),
                Err(error) if self.may_try_again(&loan, &mut tried, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether an idle connection turned out to be lost. Then those that lie idle beside it are given up too, and the
    /// next one is new.
    fn may_try_again(&self, loan: &Loan, tried: &mut usize, error: &Error) -> bool {
        let may = loan.was_idle && *tried < TRIES && is_lost(error);
        if may {
            self.idle().clear();
            *tried += 1;
        }
        may
    }

    /// As a caller of the store gets it.
    pub(crate) fn failed(&self, doing: &'static str, error: Error) -> StoreError {
        ServerFailed::new(&self.server.place, error).store_error(doing)
    }

    /// How many connections were made so far: while there is no further one, the server is the one it was, unless a
    /// pooler stands in between.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    async fn loan(&self) -> Result<Loan, Error> {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = self.idle().pop();
        let was_idle = idle.is_some();
        let session = match idle {
            Some(session) => session,
            None => {
                let session = self.server.connect().await?;
                self.made.fetch_add(1, Ordering::SeqCst);
                session
            }
        };
        Ok(Loan { session, was_idle, home: self.clone(), _permit: permit })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().expect("nothing panics while it holds the connections")
    }
}

impl Loan {
    /// For the next one. Only when nothing is open on it.
    pub(crate) fn give_back(self) {
        let Self { session, home, .. } = self;
        home.idle().push(session);
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("server", &self.server.place).finish_non_exhaustive()
    }
}
