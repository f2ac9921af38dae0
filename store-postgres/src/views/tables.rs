//! The tables that the author of a SQL projection makes: in a schema of their own for each generation.

use super::{
    shown::{self, VIEW_NAME_BYTES_MAX, note_of, point, quoted, view_name},
    transaction::Transaction,
};
use annals::{COMPARISON_EXAMPLES_MAX, Comparison};
use sqlx::{Error, Row};

/// Whether generation `id` has such tables.
pub(super) async fn are_there(tx: &mut Transaction<'_>, id: i64) -> Result<bool, Error> {
    tx.answer(tx.sql().tables_there.of_generation(id).query()).await
}

/// What the author's statements find without naming a schema, until this transaction ends; and plans as anybody else
/// gets them.
pub(super) async fn enter(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    let path = format!("SET LOCAL search_path = {{tables}}; SET LOCAL enable_seqscan = on; {PLANS}");
    tx.set(&path.replace("{tables}", &schema(tx, id))).await
}

const PLANS: &str = "SET LOCAL plan_cache_mode = auto";

/// Makes the schema for them.
pub(super) async fn add(tx: &mut Transaction<'_>, id: i64) -> Result<(), Error> {
    let schema = schema(tx, id);
    tx.make(&format!("CREATE SCHEMA {schema}")).await
}

/// Shows each table of generation `id`, and none of another generation.
pub(super) async fn show(tx: &mut Transaction<'_>, name: &str, id: i64) -> Result<(), Error> {
    let before = tx.rows(tx.sql().shown_of.query().bind(note_of(name))).await?;
    let mut made = vec![];
    for table in of(tx, id).await? {
        let view = view_of(name, &table)?;
        let query = tx.sql().shown_columns.query().bind(tx.tables(id)).bind(&table);
        let rows = tx.rows(query).await?;
        let columns = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let columns: Vec<(String, String)> = columns.collect::<Result<_, Error>>()?;
        let list: Vec<String> = columns.iter().map(|(column, _)| quoted(column)).collect();
        let select = format!("SELECT {} FROM {}.{}", list.join(", "), schema(tx, id), quoted(&table));
        point(tx, name, &view, &columns, &select).await?;
        made.push(view);
    }
    for row in before {
        let view: String = row.try_get(0)?;
        if !made.contains(&view) {
            tx.make(&format!("DROP VIEW {{shown}}.{}", quoted(&view))).await?;
        }
    }
    Ok(())
}

/// The names of the tables of generation `id`.
async fn of(tx: &mut Transaction<'_>, id: i64) -> Result<Vec<String>, Error> {
    let rows = tx.rows(tx.sql().tables_of.of_generation(id).query()).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// How the rows of two generations differ: a row that is in one of them only is missing or extra, one that changed is
/// both. Examples are rows.
pub(super) async fn compare(tx: &mut Transaction<'_>, old: i64, new: i64) -> Result<Comparison, Error> {
    let mut found = Comparison::default();
    let (olds, news) = (of(tx, old).await?, of(tx, new).await?);
    let mut tables: Vec<&String> = olds.iter().chain(&news).collect();
    tables.sort();
    tables.dedup();
    for table in tables {
        let rows_of = |there: bool, id: i64, tx: &Transaction<'_>| match there {
            true => format!("SELECT t::text AS r FROM {}.{} t", schema(tx, id), quoted(table)),
            false => "SELECT NULL::text AS r WHERE false".to_string(),
        };
        let (a, b) = (rows_of(olds.contains(table), old, tx), rows_of(news.contains(table), new, tx));
        let counts = format!(
            "SELECT (SELECT count(*) FROM ({b}) x), (SELECT count(*) FROM (({a}) EXCEPT ALL ({b})) x), \
             (SELECT count(*) FROM (({b}) EXCEPT ALL ({a})) x)"
        );
        let rows = tx.made(&counts).await?;
        let count = |at: usize| rows[0].try_get::<i64, _>(at).map(i64::unsigned_abs);
        let (has, missing, extra) = (count(0)?, count(1)?, count(2)?);
        found.documents += has + missing;
        found.missing += missing;
        found.extra += extra;
        let left = COMPARISON_EXAMPLES_MAX - found.examples.len();
        if missing + extra > 0 && left > 0 {
            let examples = format!(
                "(({a}) EXCEPT ALL ({b})) UNION ALL (({b}) EXCEPT ALL ({a})) ORDER BY r LIMIT {left}"
            );
            for row in tx.made(&examples).await? {
                let text: String = row.try_get(0)?;
                found
                    .examples
                    .push(format!("{table} {}", text.chars().take(EXAMPLE_CHARS_MAX).collect::<String>()));
            }
        }
    }
    Ok(found)
}

/// An example quotes at most this many characters of a row.
const EXAMPLE_CHARS_MAX: usize = 255;

/// The view of a table: called as the read model where the table is, else `READ_MODEL_TABLE`.
fn view_of(name: &str, table: &str) -> Result<String, Error> {
    let of_model = view_name(name);
    let view = if table == of_model { of_model } else { format!("{of_model}_{table}") };
    if view.len() > VIEW_NAME_BYTES_MAX {
        let long = format!("the view {view} would have more than {VIEW_NAME_BYTES_MAX} bytes in its name");
        return Err(Error::InvalidArgument(long));
    }
    Ok(view)
}

fn schema(tx: &Transaction<'_>, id: i64) -> String {
    shown::quoted(&tx.tables(id))
}
