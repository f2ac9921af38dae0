//! Who may read what is made anew: whoever could read what it takes the place of.

use super::{shown::quoted, transaction::Transaction};
use sqlx::{Error, Row};

/// Lets those read `table` who may read the generations.
pub(super) async fn share(tx: &mut Transaction<'_>, table: &str) -> Result<(), Error> {
    let rows = tx.rows(tx.sql().readers.query()).await?;
    let readers: Vec<&str> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    match readers.is_empty() {
        true => Ok(()),
        false => tx.make(&format!("GRANT SELECT ON {table} TO {}", readers.join(", "))).await,
    }
}

/// The rights that people gave on a view.
pub(super) struct Given(Vec<Right>);

struct Right {
    what: String,
    on_column: Option<String>,
    whom: String,
    may_give: bool,
}

impl Given {
    /// Those on `view`, which is there.
    pub(super) async fn on(tx: &mut Transaction<'_>, view: &str) -> Result<Self, Error> {
        let rows = tx.rows(tx.sql().rights_of.query().bind(tx.shown()).bind(view)).await?;
        let right = |row: &sqlx::postgres::PgRow| {
            let (what, on_column) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Right { what, on_column, whom: row.try_get(2)?, may_give: row.try_get(3)? })
        };
        Ok(Self(rows.iter().map(right).collect::<Result<_, Error>>()?))
    }

    /// Gives the same and no others on `view`, which was made anew with these columns.
    pub(super) async fn again(
        &self,
        tx: &mut Transaction<'_>,
        view: &str,
        columns: &[(String, String)],
    ) -> Result<(), Error> {
        let on = format!("{{shown}}.{}", quoted(view));
        // What is given by default may have been taken from somebody on this view.
        for Right { whom, .. } in &Self::on(tx, view).await?.0 {
            tx.make(&format!("REVOKE ALL ON {on} FROM {whom}")).await?;
        }
        for Right { what, on_column, whom, may_give } in &self.0 {
            let column = match on_column {
                Some(gone) if !columns.iter().any(|(column, _)| column == gone) => continue,
                Some(column) => format!(" ({})", quoted(column)),
                None => String::new(),
            };
            let option = if *may_give { " WITH GRANT OPTION" } else { "" };
            tx.make(&format!("GRANT {what}{column} ON {on} TO {whom}{option}")).await?;
        }
        Ok(())
    }
}
