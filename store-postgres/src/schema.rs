//! The schema that holds everything: several engines may share one database.

use std::{fmt, str::FromStr};

/// The longest name of a schema, in bytes: PostgreSQL cuts longer names off.
pub const SCHEMA_BYTES_MAX: usize = 50;

/// The schema that holds the tables of one engine; `annals` if nothing is said.
///
/// A lower-case letter, then lower-case letters, digits and `_`; no name that PostgreSQL keeps for itself (`pg_…`), and
/// none that another engine may give to what it makes beside its own schema (`…_views`, `…_g1` and so on).
/// Two engines in two schemas of one database never meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(Box<str>);

/// The text names no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no schema: expected a lower-case letter, then lower-case letters, digits and _, at most 50, not pg_ in front, and neither _views nor _g and a number behind"
)]
pub struct SchemaError(String);

/// Names complete, down to the operators: it stands in a function that acts with the owner's rights.
const LOCK: &str = "((1634889313::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.|) \
                    '{schema}.log'::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8)";

impl Schema {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the schema beside it in which read models are shown.
    pub(crate) fn shown(&self) -> String {
        format!("{}_views", self.0)
    }

    /// The name of the schema in which the author of a SQL projection makes the tables of generation `id`.
    pub(crate) fn tables(&self, id: impl fmt::Display) -> String {
        format!("{}_g{id}", self.0)
    }

    /// `text` with the schema's name, quoted, in place of `{schema}`, that of the one beside it in which read models
    /// are shown in place of `{shown}`, and the key of the log's lock in place of `{lock}`. That key is the log table's
    /// own: another constant would make engines in one database wait for each other. It is the same whatever the search
    /// path of whoever asks is.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{lock}", LOCK)
            .replace("{schema}", &format!("\"{}\"", self.0))
            .replace("{shown}", &format!("\"{}\"", self.shown()))
            .replace("{tables}", &format!("\"{}\"", self.tables("{id}")))
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self("annals".into())
    }
}

impl FromStr for Schema {
    type Err = SchemaError;

    fn from_str(name: &str) -> Result<Self, SchemaError> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.starts_with("pg_");
        let is_beside = name.ends_with("_views")
            || name
                .rsplit_once("_g")
                .is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit()));
        if begins && name.len() <= SCHEMA_BYTES_MAX && name.bytes().all(plain) && !is_beside {
            return Ok(Self(name.into()));
        }
        Err(SchemaError(name.chars().take(2 * SCHEMA_BYTES_MAX).collect()))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_be_more_than_a_name_is_refused() {
        for name in ["annals", "a", "shop_2", "shop_g", "shop_g1a", "views", &"s".repeat(SCHEMA_BYTES_MAX)] {
            assert_eq!(name.parse::<Schema>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "Shop",
            "2shop",
            "_a",
            "pg_catalog",
            "a\"b",
            "a b",
            "a;b",
            "a.b",
            "ä",
            "a\0",
            // What another engine makes beside its own.
            "shop_g1",
            "shop_views",
            &"s".repeat(51),
        ] {
            assert!(name.parse::<Schema>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_is_quoted_where_it_stands() {
        let filled = Schema::default().fill("SELECT {lock} FROM {schema}.log");
        assert!(
            filled.ends_with("FROM \"annals\".log")
                && filled.contains("'\"annals\".log'::pg_catalog.regclass"),
            "{filled}"
        );
    }
}
