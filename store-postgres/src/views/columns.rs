//! Declared columns as the database computes them.

use annals::{Column, ColumnKind};

/// A column as a generation remembers it: its name, its type, how it comes from a document, and the method of its
/// index, empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) of_type: String,
    pub(super) expression: String,
    pub(super) index: String,
}

impl Shown {
    /// Those of `columns`; where none is declared, the whole document.
    pub(super) fn all(columns: &[Column]) -> Vec<Self> {
        match columns {
            [] => vec![Self::of(&Column::json("document").at(""))],
            columns => columns.iter().map(Self::of).collect(),
        }
    }

    fn of(column: &Column) -> Self {
        let json = way(column, "->");
        let text = way(column, "->>");
        let (of_type, expression) = match column.kind() {
            ColumnKind::Text => ("text", text),
            ColumnKind::Integer => ("bigint", format!("{{shown}}.as_bigint({json})")),
            ColumnKind::Number => ("numeric", format!("{{shown}}.as_numeric({json})")),
            ColumnKind::Boolean => ("boolean", format!("{{shown}}.as_boolean({json})")),
            ColumnKind::Time => ("timestamp with time zone", format!("{{shown}}.as_time({text})")),
            ColumnKind::Date => ("date", format!("{{shown}}.as_date({text})")),
            _ => ("jsonb", json),
        };
        let index = match column.kind() {
            _ if !column.is_indexed() => "",
            // A text of any length can be hashed; a tree would refuse a long one, and the projection with it.
            ColumnKind::Text => "hash",
            ColumnKind::Integer
            | ColumnKind::Number
            | ColumnKind::Boolean
            | ColumnKind::Time
            | ColumnKind::Date => "btree",
            _ => "gin",
        };
        Self { name: column.name().into(), of_type: of_type.into(), expression, index: index.into() }
    }

    /// As the table keeps them.
    pub(super) fn stored(columns: &[Self]) -> Vec<&str> {
        columns.iter().flat_map(|c| [&*c.name, &*c.of_type, &*c.expression, &*c.index]).collect()
    }

    /// What [`stored`](Self::stored) gave.
    pub(super) fn read(stored: &[String]) -> Vec<Self> {
        let column = |of: &[String]| Self {
            name: of[0].clone(),
            of_type: of[1].clone(),
            expression: of[2].clone(),
            index: of[3].clone(),
        };
        stored.chunks_exact(FIELDS).map(column).collect()
    }

    /// Its index on the table of generation `id`.
    pub(super) fn index_name(&self, id: i64) -> String {
        format!("{{schema}}.\"d{id}_{}\"", self.name)
    }

    /// What makes that index.
    pub(super) fn make_index(&self, id: i64) -> String {
        let Self { name, expression, index, .. } = self;
        let class = if index == "gin" { " jsonb_path_ops" } else { "" };
        format!(
            "CREATE INDEX IF NOT EXISTS \"d{id}_{name}\" ON {{schema}}.documents_{id} USING {index} (({expression}){class})"
        )
    }
}

/// How many texts a column is stored as.
const FIELDS: usize = 4;

/// The way into the document, by `->` or `->>`.
fn way(column: &Column, arrow: &str) -> String {
    let names: Vec<String> = column.pointer().collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    match (&*names, arrow) {
        ([], "->") => "body".into(),
        ([], _) => "body::text".into(),
        ([name], arrow) if !name.bytes().all(|c| c.is_ascii_digit()) => {
            format!("(body {arrow} {})", quoted[0])
        }
        // Several steps, or one into a list.
        (_, arrow) => format!("(body #{} ARRAY[{}])", arrow.trim_start_matches('-'), quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(column: Column) -> String {
        Shown::of(&column).expression
    }

    #[test]
    fn a_pointer_becomes_a_way_into_the_document() {
        assert_eq!(expression(Column::text("city")), "(body ->> 'city')");
        assert_eq!(expression(Column::text("c").at("/a/b")), "(body #>> ARRAY['a', 'b'])");
        assert_eq!(expression(Column::json("first").at("/0")), "(body #> ARRAY['0'])");
        assert_eq!(expression(Column::json("all").at("")), "body");
        assert_eq!(expression(Column::integer("n")), "{shown}.as_bigint((body -> 'n'))");
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let columns = Shown::all(&[Column::text("a").indexed(), Column::time("b")]);
        let stored: Vec<String> = Shown::stored(&columns).into_iter().map(Into::into).collect();
        assert_eq!(Shown::read(&stored), columns);
    }
}
