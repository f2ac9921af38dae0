//! What roles other than the owner may do.

use crate::{PostgresStore, Schema, session::Connections};
use annals::StoreError;
use sqlx::AssertSqlSafe;

/// What a role may do with a log. The owner, who made the tables, may do everything but change history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Append through the functions that number the events, and read. It can change nothing, and can give no event a
    /// position, a version or a time of its own choice.
    Append,
    /// Only read.
    Read,
}

impl PostgresStore {
    /// Gives `role` a right. The role is made with `CREATE ROLE`; its name follows the rules of a [`Schema`].
    ///
    /// # Errors
    /// When the name is none that is allowed, there is no such role, or this user does not own the tables.
    pub async fn grant(&self, role: &str, right: Right) -> Result<(), StoreError> {
        let text = match right {
            Right::Append => include_str!("rights/append.sql"),
            Right::Read => include_str!("rights/read.sql"),
        };
        run(self.connections(), role, text).await
    }
}

async fn run(connections: &Connections, role: &str, text: &'static str) -> Result<(), StoreError> {
    const DOING: &str = "granting a right";
    let name: Schema = role
        .parse()
        .map_err(|_| StoreError::permanent(DOING, format!("{role:?} names no role that is allowed")))?;
    let text = text.replace("{role}", &format!("\"{name}\""));
    let text = connections.server.options.schema.fill(&text);
    let failed = |error| connections.failed(DOING, error);
    let mut loan = connections.begin("BEGIN").await.map_err(failed)?;
    // Safe: a static text of ours, and two names that were checked and are quoted.
    sqlx::raw_sql(AssertSqlSafe(text)).execute(loan.session.connection()).await.map_err(failed)?;
    loan.session.say("COMMIT").await.map_err(failed)?;
    loan.give_back();
    Ok(())
}
