//! The views in which people see a read model: always its live generation, in the columns that were declared, or the
//! tables that its author made.

use super::{
    columns::Shown,
    generation::{Generation, number},
    readers::{Given, share},
    tables,
    transaction::{Halt, Transaction},
};
use crate::failure::{has_dependents, is_locked};
use annals::{Column, GenerationState, StoreError, SubscriberId};
use sqlx::{Error, Row};

/// The longest name of a view, in bytes: PostgreSQL cuts longer ones off.
pub(super) const VIEW_NAME_BYTES_MAX: usize = 63;

/// How long a switch waits for those who read the view, at most; the runner waits with it.
const WAIT_FOR_READERS: &str = "SET LOCAL lock_timeout = '1s'";

/// Remembers the columns of `of`, makes and drops indexes accordingly, and shows it if it is live.
pub(super) async fn describe(
    tx: &mut Transaction<'_>,
    of: &SubscriberId,
    columns: &[Column],
) -> Result<(), Halt<StoreError>> {
    tx.rows(tx.sql().name_lock.query().bind(of.name())).await?;
    let found = Generation::seen::<StoreError>(tx, of).await?;
    let wanted = Shown::all(columns);
    let before = stored(tx, found.id).await?;
    let same = before.as_ref() == Some(&wanted);
    if !same {
        index(tx, found.id, &before.unwrap_or_default(), &wanted).await?;
    }
    if found.state == GenerationState::Live && !(same && is_shown(tx, of.name()).await?) {
        tx.say("SAVEPOINT shown").await?;
        match show(tx, of.name(), found.id, &wanted).await {
            // The view goes on as it was: it shows the same documents, in the columns it had.
            Err(error) if has_dependents(&error) => {
                tracing::warn!(read_model = of.name(), %error, "the view keeps its columns: drop what rests on it, and start again");
                tx.say("ROLLBACK TO SAVEPOINT shown").await?;
                // Not remembered, so that the next start tries again.
                return Ok(());
            }
            shown => shown?,
        }
    }
    if !same {
        tx.act(tx.sql().columns_set.query().bind(found.id).bind(Shown::stored(&wanted))).await?;
    }
    Ok(())
}

/// Shows `to`, which is being built, from the end of this transaction on.
pub(super) async fn switch(tx: &mut Transaction<'_>, to: &SubscriberId) -> Result<(), Error> {
    let rows = tx.rows(tx.sql().columns_to_show.query().bind(to.name()).bind(number(to))).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    tx.say(WAIT_FOR_READERS).await?;
    let id = row.try_get(0)?;
    if tables::are_there(tx, id).await? {
        return tables::show(tx, to.name(), id).await;
    }
    // Where nobody ever described it, it is not to be shown.
    if let Some(columns) = row.try_get::<Option<Vec<String>>, _>(1)? {
        show(tx, to.name(), id, &Shown::read(&columns)).await?;
    }
    Ok(())
}

/// Drops the table of a retired generation that is empty, and those of its author. While somebody still reads them,
/// they stay, and go with the next purge.
pub(super) async fn drop_tables(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    tx.say("SAVEPOINT dropping").await?;
    tx.say("SET LOCAL lock_timeout = '500ms'").await?;
    for statement in [&tx.sql().documents_drop, &tx.sql().tables_drop] {
        match tx.act(statement.of_generation(id).query()).await {
            Err(error) if is_locked(&error) => return tx.say("ROLLBACK TO SAVEPOINT dropping").await,
            done => done?,
        };
    }
    Ok(())
}

/// Points `view` of the read model `name` at what `select` gives, which has these columns and types. What rests on the
/// view stays as it is where its columns stay or only get more; who may read it stays in any case.
pub(super) async fn point(
    tx: &mut Transaction<'_>,
    name: &str,
    view: &str,
    columns: &[(String, String)],
    select: &str,
) -> Result<(), Error> {
    let note = note_of(name);
    let rows = tx.rows(tx.sql().shown_columns.query().bind(tx.shown()).bind(view)).await?;
    let mut fits = rows.len() <= columns.len();
    for (row, (column, of_type)) in rows.iter().zip(columns) {
        let (had, had_type, noted): (&str, &str, Option<&str>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        // Without a note of ours it is somebody else's, who would miss it.
        if noted != Some(&note) {
            let whose = noted.unwrap_or("somebody else");
            return Err(Error::InvalidArgument(format!(
                "the view {view} of {name} is that of {whose} already"
            )));
        }
        fits &= had == column && had_type == of_type;
    }
    let shown = format!("{{shown}}.{}", quoted(view));
    let given = if fits { None } else { Some(Given::on(tx, view).await?) };
    if given.is_some() {
        tx.make(&format!("DROP VIEW {shown}")).await?;
    }
    tx.make(&format!("CREATE OR REPLACE VIEW {shown} AS {select}")).await?;
    tx.make(&format!("COMMENT ON VIEW {shown} IS '{note}'")).await?;
    match given {
        Some(given) => given.again(tx, view, columns).await,
        None if rows.is_empty() => share(tx, &shown).await,
        None => Ok(()),
    }
}

/// What is noted on the views of a read model, whose name needs no quotes.
pub(super) fn note_of(name: &str) -> String {
    format!("read model {name}")
}

/// As the read model is called, where SQL takes it without quotes.
pub(super) fn view_name(name: &str) -> String {
    name.replace('-', "_")
}

/// An identifier, whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes the indexes that are new, drops those that are declared no more.
async fn index(tx: &mut Transaction<'_>, id: i64, before: &[Shown], wanted: &[Shown]) -> Result<(), Error> {
    // Many documents take their time; nobody but this read model waits for it.
    tx.say("SET LOCAL statement_timeout = 0").await?;
    for old in before.iter().filter(|old| !old.index.is_empty() && !wanted.contains(old)) {
        tx.make(&format!("DROP INDEX IF EXISTS {}", old.index_name(id))).await?;
    }
    for new in wanted.iter().filter(|new| !new.index.is_empty() && !before.contains(new)) {
        tx.make(&new.make_index(id)).await?;
    }
    Ok(())
}

async fn show(tx: &mut Transaction<'_>, name: &str, id: i64, columns: &[Shown]) -> Result<(), Error> {
    if name.len() > VIEW_NAME_BYTES_MAX {
        return Ok(());
    }
    let all = columns.iter().map(|column| (column.name.clone(), column.of_type.clone()));
    let all: Vec<(String, String)> = [("key".into(), "text".into())].into_iter().chain(all).collect();
    let list: String = columns
        .iter()
        .map(|Shown { name, expression, .. }| format!(", {expression} AS \"{name}\""))
        .collect();
    let select = format!("SELECT key{list} FROM {{schema}}.documents_{id}");
    point(tx, name, &view_name(name), &all, &select).await
}

async fn is_shown(tx: &mut Transaction<'_>, name: &str) -> Result<bool, Error> {
    let query = tx.sql().shown_columns.query().bind(tx.shown()).bind(view_name(name));
    Ok(name.len() > VIEW_NAME_BYTES_MAX || !tx.rows(query).await?.is_empty())
}

async fn stored(tx: &mut Transaction<'_>, id: i64) -> Result<Option<Vec<Shown>>, Error> {
    let stored: Option<Vec<String>> = tx.answer(tx.sql().columns.query().bind(id)).await?;
    Ok(stored.map(|stored| Shown::read(&stored)))
}
