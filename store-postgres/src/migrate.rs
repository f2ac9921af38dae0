//! Tables: made where they are missing, brought up to date, refused where they are newer or somebody else's.

use crate::{
    LOCK_WAIT_MAX, ServerError,
    server::{Server, lock_wait},
    session::Session,
    statement::statements,
};
use sqlx::{AssertSqlSafe, Error, Row};

/// One kind of tables, and how they came to be.
pub(crate) struct Layout {
    /// As errors name it, and as the schema remembers it.
    pub(crate) what: &'static str,
    /// Each is applied once, in order. Never edited once merged.
    pub(crate) migrations: &'static [&'static str],
}

statements!(
    /// The statements of migrating.
    Migrating {
        schema_there = "open/schema_there.sql",
        schema_lock = "open/schema_lock.sql",
        layout_table = "open/layout_table.sql",
        layout_there = "open/layout_there.sql",
        layout = "open/layout.sql",
        layout_set = "open/layout_set.sql",
        owner = "open/owner.sql",
    }
);

/// Brings the tables of `layout` up to date. Any number of processes may start at once: one does it, the rest wait.
pub(crate) async fn migrate(
    session: &mut Session,
    server: &Server,
    layout: &Layout,
) -> Result<(), ServerError> {
    let failed = |source| ServerError::of(&server.place, "preparing its tables", source);
    let sql = Migrating::of(&server.options.schema, server.options.prepares());
    let known = layout.migrations.len() as i32;
    session.begin("BEGIN").await.map_err(failed)?;
    let done = async {
        // Whoever may not make tables can still work with those that are there.
        if applied(session, server, &sql, layout, false).await? != known {
            let applied = applied(session, server, &sql, layout, true).await?;
            if applied < known {
                apply(session, server, &sql, layout, applied).await?;
            }
        }
        version(session, server, &sql, layout).await
    };
    let done = done.await;
    let end = session.say(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
    match done.and_then(|version| end.map(|()| version)) {
        Ok(version) if version > known => {
            Err(ServerError::Newer { place: server.place.clone(), what: layout.what, version, known })
        }
        Ok(_) => Ok(()),
        // There is a table, function or index of that name already.
        Err(error)
            if matches!(crate::failure::code(&error).as_deref(), Some("42P07" | "42723" | "42710")) =>
        {
            let found = error.as_database_error().map_or_else(String::new, |error| error.message().into());
            Err(ServerError::Foreign { place: server.place.clone(), found })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether any tables of `layout` were ever made.
pub(crate) async fn is_there(session: &mut Session, server: &Server, layout: &Layout) -> Result<bool, Error> {
    let sql = Migrating::of(&server.options.schema, server.options.prepares());
    session.begin("BEGIN").await?;
    let found = version(session, server, &sql, layout).await?;
    session.say("COMMIT").await?;
    Ok(found > 0)
}

/// How many migrations were applied; with `locked`, nobody else applies one until this transaction ends.
async fn applied(
    session: &mut Session,
    server: &Server,
    sql: &Migrating,
    layout: &Layout,
    locked: bool,
) -> Result<i32, Error> {
    if locked {
        // Making tables, and waiting for another process that makes them, takes as long as it takes.
        session.say("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        sql.schema_lock.query().execute(session.connection()).await?;
        // Whoever uses a table is not waited for like that: all that comes behind us would wait too.
        session.make(lock_wait(LOCK_WAIT_MAX)).await?;
    }
    version(session, server, sql, layout).await
}

async fn version(
    session: &mut Session,
    server: &Server,
    sql: &Migrating,
    layout: &Layout,
) -> Result<i32, Error> {
    if session.step(sql.layout_there.query().bind(server.options.schema.as_str())).await?.is_empty() {
        return Ok(0);
    }
    let rows = session.step(sql.layout.query().bind(layout.what)).await?;
    rows.first().map_or(Ok(0), |row| row.try_get(0))
}

async fn apply(
    session: &mut Session,
    server: &Server,
    sql: &Migrating,
    layout: &Layout,
    applied: i32,
) -> Result<(), Error> {
    let schema = &server.options.schema;
    // Making a schema that is there needs a right of its own, even with IF NOT EXISTS.
    if session.step(sql.schema_there.query().bind(schema.as_str())).await?.is_empty() {
        run(session, schema.fill("CREATE SCHEMA {schema}")).await?;
    }
    // Whoever may act for the owner makes nothing of their own here: the owner could not use it.
    if let Some(owner) = session.step(sql.owner.query().bind(schema.as_str())).await?.first() {
        run(session, format!("SET LOCAL ROLE {}", owner.try_get::<String, _>(0)?)).await?;
    }
    session.act(sql.layout_table.query()).await?;
    for migration in &layout.migrations[applied.unsigned_abs() as usize..] {
        run(session, schema.fill(migration)).await?;
    }
    session.act(sql.layout_set.query().bind(layout.what).bind(layout.migrations.len() as i32)).await?;
    Ok(())
}

/// A text of ours that holds several statements.
async fn run(session: &mut Session, text: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(session.connection()).await.map(|_| ())
}
