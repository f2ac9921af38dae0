//! SQL texts with the schema's name filled in.

use crate::Schema;
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query::Query};
use std::sync::Arc;

/// One statement, ready to be bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    text: Arc<str>,
    prepared: bool,
}

impl Statement {
    /// Of a text that stands in a file of ours; `prepared` where the connection is always the same.
    pub(crate) fn of(text: &'static str, schema: &Schema, prepared: bool) -> Self {
        Self { text: schema.fill(text).into(), prepared }
    }

    /// The same for the tables of one generation, whose number stands in place of `{id}`.
    pub(crate) fn of_generation(&self, id: i64) -> Self {
        Self { text: self.text.replace("{id}", &id.to_string()).into(), prepared: self.prepared }
    }

    /// The same for the tables of two, whose numbers stand in place of `{old}` and `{new}`.
    pub(crate) fn of_two(&self, old: i64, new: i64) -> Self {
        let text = self.text.replace("{old}", &old.to_string()).replace("{new}", &new.to_string());
        Self { text: text.into(), prepared: false }
    }

    /// Binds begin with `$1`.
    pub(crate) fn query<'q>(&self) -> Query<'q, Postgres, PgArguments> {
        // Safe: a static text of ours, and the name of a schema that was checked and is quoted.
        sqlx::query(AssertSqlSafe(self.text.clone())).persistent(self.prepared)
    }
}

/// Declares a struct of statements, each a file beside the caller's, or several behind each other.
macro_rules! statements {
    ($(#[$doc:meta])* $name:ident { $($statement:ident = $($file:literal)+,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name { $(pub(super) $statement: $crate::statement::Statement,)* }

        impl $name {
            pub(super) fn of(schema: &$crate::Schema, prepared: bool) -> Self {
                let of = |text| $crate::statement::Statement::of(text, schema, prepared);
                Self { $($statement: of(concat!($(include_str!($file)),+)),)* }
            }
        }
    };
}

pub(crate) use statements;
