//! The view in which people see a read model: always its live generation, in the columns that were declared.

use super::{
    columns::Shown,
    generation::{Generation, number},
    transaction::{Halt, Transaction},
};
use crate::failure::{has_dependents, is_locked};
use annals::{Column, GenerationState, StoreError, SubscriberId};
use sqlx::{Error, Row};

/// The longest name of a view, in bytes: PostgreSQL cuts longer ones off.
const VIEW_NAME_BYTES_MAX: usize = 63;

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
        tx.act(tx.sql().columns_set.query().bind(found.id).bind(Shown::stored(&wanted))).await?;
    }
    if found.state == GenerationState::Live && !(same && is_shown(tx, of.name()).await?) {
        tx.say("SAVEPOINT shown").await?;
        match show(tx, of.name(), found.id, &wanted).await {
            // The view goes on as it was: it shows the same documents, in the columns it had.
            Err(error) if has_dependents(&error) => {
                tracing::warn!(read_model = of.name(), %error, "the view keeps its columns: drop what rests on it, and start again");
                tx.say("ROLLBACK TO SAVEPOINT shown").await?;
            }
            shown => shown?,
        }
    }
    Ok(())
}

/// Shows `to`, which is being built, from the end of this transaction on.
pub(super) async fn switch(tx: &mut Transaction<'_>, to: &SubscriberId) -> Result<(), Error> {
    let rows = tx.rows(tx.sql().columns_to_show.query().bind(to.name()).bind(number(to))).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    // Where nobody ever described it, it is not to be shown.
    if let Some(columns) = row.try_get::<Option<Vec<String>>, _>(1)? {
        show(tx, to.name(), row.try_get(0)?, &Shown::read(&columns)).await?;
    }
    Ok(())
}

/// Drops the table of a retired generation that is empty. While somebody still reads it, it stays, and goes with the
/// next purge.
pub(super) async fn drop_documents(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    tx.say("SAVEPOINT dropping").await?;
    tx.say("SET LOCAL lock_timeout = '500ms'").await?;
    match tx.act(tx.sql().documents_drop.of_generation(id).query()).await {
        Err(error) if is_locked(&error) => tx.say("ROLLBACK TO SAVEPOINT dropping").await,
        done => done.map(|_| ()),
    }
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

/// Points the view at generation `id`. What rests on it, and who may read it, stays as it is where its columns stay or
/// only get more.
async fn show(tx: &mut Transaction<'_>, name: &str, id: i64, columns: &[Shown]) -> Result<(), Error> {
    if name.len() > VIEW_NAME_BYTES_MAX {
        return Ok(());
    }
    let view = view_name(name);
    let rows = tx.rows(tx.sql().shown_columns.query().bind(&view)).await?;
    let key = ("key", "text");
    let names = [key].into_iter().chain(columns.iter().map(|column| (&*column.name, &*column.of_type)));
    let names: Vec<(&str, &str)> = names.collect();
    let fits = rows.len() <= names.len()
        && rows.iter().zip(&names).try_fold(true, |fits, (row, (name, of_type))| {
            let (had, had_type): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            Ok::<_, Error>(fits && had == *name && had_type == *of_type)
        })?;
    if !fits {
        tx.make(&format!("DROP VIEW {{shown}}.\"{view}\"")).await?;
    }
    let list: String = columns
        .iter()
        .map(|Shown { name, expression, .. }| format!(", {expression} AS \"{name}\""))
        .collect();
    let select = format!("SELECT key{list} FROM {{schema}}.documents_{id}");
    tx.make(&format!("CREATE OR REPLACE VIEW {{shown}}.\"{view}\" AS {select}")).await
}

async fn is_shown(tx: &mut Transaction<'_>, name: &str) -> Result<bool, Error> {
    let long = name.len() > VIEW_NAME_BYTES_MAX;
    Ok(long || !tx.rows(tx.sql().shown_columns.query().bind(view_name(name))).await?.is_empty())
}

async fn stored(tx: &mut Transaction<'_>, id: i64) -> Result<Option<Vec<Shown>>, Error> {
    let stored: Option<Vec<String>> = tx.answer(tx.sql().columns.query().bind(id)).await?;
    Ok(stored.map(|stored| Shown::read(&stored)))
}

/// As the read model is called, where SQL takes it without quotes.
fn view_name(name: &str) -> String {
    name.replace('-', "_")
}
