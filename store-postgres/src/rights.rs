//! What roles other than the owner may do.

mod error;

pub use error::GrantError;

use crate::{PostgresDocuments, PostgresStore, session::Connections};
use sqlx::{Error, Row};

/// The longest name of a role, in bytes: PostgreSQL cuts longer ones off, and would find another role.
pub const ROLE_BYTES_MAX: usize = 63;

/// What a role may do with a log. The owner, who made the tables, may do everything but change history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Append through the functions that number the events, and read. It can change nothing of the log, and can give no
    /// event a position, a version or a time of its own choice. Snapshots it keeps and removes as it likes: they are a
    /// cache, and what is loaded through one is only as good as whoever may write them.
    Append,
    /// Only read.
    Read,
}

const DOING: &str = "granting a right";

impl PostgresStore {
    /// Gives `role`, which was made with `CREATE ROLE`, a right on the log. Given twice it counts once; what it had
    /// before, it keeps.
    ///
    /// # Errors
    /// When the name is none, there is no such role, this user does not own the tables, or the server fails.
    pub async fn grant(&self, role: &str, right: Right) -> Result<(), GrantError> {
        let text = match right {
            Right::Append => include_str!("rights/append.sql"),
            Right::Read => include_str!("rights/read.sql"),
        };
        let connections = self.connections();
        let name = grantee(connections, role, "log").await?;
        let failed = |error| connections.failed(DOING, error);
        let mut loan = connections.begin("BEGIN").await.map_err(failed)?;
        loan.session.make(filled(connections, text, &name)).await.map_err(failed)?;
        loan.session.say("COMMIT").await.map_err(failed)?;
        loan.give_back();
        Ok(())
    }
}

impl PostgresDocuments {
    /// Lets `role`, which was made with `CREATE ROLE`, read the read models, those of later rebuilds too: their tables,
    /// and the views in which people see them.
    ///
    /// # Errors
    /// As [`PostgresStore::grant`].
    pub async fn grant_reading(&self, role: &str) -> Result<(), GrantError> {
        let connections = self.connections();
        let name = grantee(connections, role, "generations").await?;
        let failed = |error| connections.failed(DOING, error);
        let mut loan = connections.begin("BEGIN").await.map_err(failed)?;
        let granted = async {
            loan.session.make(filled(connections, include_str!("rights/views.sql"), &name)).await?;
            for row in loan.session.step(self.documents_tables().query()).await? {
                let table: &str = row.try_get(0)?;
                let text = format!("GRANT SELECT ON {{schema}}.{table} TO {{role}}");
                loan.session.make(filled(connections, &text, &name)).await?;
            }
            loan.session.say("COMMIT").await
        };
        granted.await.map_err(|error: Error| connections.failed(DOING, error))?;
        loan.give_back();
        Ok(())
    }
}

/// The name of `role`, quoted, if it may be given a right on `table`. Who owns it is asked first: to somebody who does
/// not, PostgreSQL may say that all is well, and do nothing.
async fn grantee(connections: &Connections, role: &str, table: &str) -> Result<String, GrantError> {
    // Whoever is meant by `public`, in quotes too, is everybody.
    if role.is_empty() || role.len() > ROLE_BYTES_MAX || role.contains('\0') || role == "public" {
        return Err(GrantError::Name { role: role.chars().take(ROLE_BYTES_MAX).collect() });
    }
    let schema = connections.server.options.schema.as_str();
    let query = || {
        let asked = sqlx::query(include_str!("rights/whose.sql")).persistent(false);
        asked.bind(role.to_string()).bind(schema.to_string()).bind(table.to_string())
    };
    let rows = connections.rows(DOING, query).await?;
    let row = rows.first().ok_or_else(|| connections.failed(DOING, Error::RowNotFound))?;
    let failed = |error| connections.failed(DOING, error);
    if !row.try_get::<bool, _>(2).map_err(failed)? {
        return Err(GrantError::NotOwner { owner: row.try_get(1).map_err(failed)? });
    }
    match row.try_get(0).map_err(failed)? {
        true => Ok(format!("\"{}\"", role.replace('"', "\"\""))),
        false => Err(GrantError::NoRole { role: role.into() }),
    }
}

/// The role last: its name may hold anything.
fn filled(connections: &Connections, text: &str, role: &str) -> String {
    connections.server.options.schema.fill(text).replace("{role}", role)
}
