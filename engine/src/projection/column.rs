//! Columns that a read model shows to whoever asks in SQL.

/// The longest name of a column, in bytes.
pub const COLUMN_NAME_BYTES_MAX: usize = 40;

/// The most columns of one read model.
pub const COLUMNS_MAX: usize = 200;

/// A named, typed column of the view in which a SQL database shows a read model, taken from its documents.
///
/// A name is a lower-case letter, then lower-case letters, digits and `_`, at most [`COLUMN_NAME_BYTES_MAX`]; `key` is
/// taken, by the key of the document. A constructor refuses any other, so a bad name in
/// [`COLUMNS`](crate::Projection::COLUMNS) does not compile.
///
/// A value is `NULL` where the document has none, has `null`, or has one of another type: no document can make the
/// view, or the projection, fail.
///
/// ```
/// use annals::Column;
///
/// const COLUMNS: &[Column] = &[
///     Column::text("status").indexed(),
///     Column::integer("total_minor"),
///     Column::time("placed_at").indexed(),
///     Column::text("city").at("/address/city"),
/// ];
/// # assert_eq!(COLUMNS[3].pointer().collect::<Vec<_>>(), ["address", "city"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    name: &'static str,
    pointer: Option<&'static str>,
    kind: ColumnKind,
    indexed: bool,
}

/// The type of a column. Numbers are exact: nothing is ever rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// A string as it is; of anything else its JSON.
    Text,
    /// A whole number of 64 bits: amounts in minor units, counts.
    Integer,
    /// A number of any size and precision.
    Number,
    /// True or false.
    Boolean,
    /// A moment, from RFC 3339 text as `chrono` writes it.
    Time,
    /// A day, from text such as `2010-12-01`.
    Date,
    /// JSON, for lists and objects; at the pointer `""` the whole document.
    Json,
}

impl Column {
    /// A column of text.
    pub const fn text(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Text)
    }

    /// A column of whole numbers of 64 bits.
    pub const fn integer(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Integer)
    }

    /// A column of numbers of any size and precision.
    pub const fn number(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Number)
    }

    /// A column of true and false.
    pub const fn boolean(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Boolean)
    }

    /// A column of moments.
    pub const fn time(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Time)
    }

    /// A column of days.
    pub const fn date(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Date)
    }

    /// A column of JSON.
    pub const fn json(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Json)
    }

    /// A column called `name` of the field of that name.
    ///
    /// # Panics
    /// When `name` is none that is allowed; in a constant that is an error of the compiler.
    pub const fn of(name: &'static str, kind: ColumnKind) -> Self {
        assert!(is_name(name.as_bytes()), "a column is named [a-z][a-z0-9_]*, at most 40 bytes, and not key");
        Self { name, pointer: None, kind, indexed: false }
    }

    /// Taken from elsewhere in the document: a JSON pointer (RFC 6901), `/address/city`.
    ///
    /// # Panics
    /// When `pointer` is none, or holds a quote, a backslash, a brace or a control character; in a constant that is an
    /// error of the compiler.
    #[must_use]
    pub const fn at(self, pointer: &'static str) -> Self {
        assert!(is_pointer(pointer.as_bytes()), "a JSON pointer is empty or begins with /");
        Self { pointer: Some(pointer), ..self }
    }

    /// With an index: text is found by its whole value, JSON by what it contains, anything else in order too. Each
    /// costs a little with every document written.
    #[must_use]
    pub const fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its type.
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Whether it has an index.
    pub fn is_indexed(&self) -> bool {
        self.indexed
    }

    /// The way to its value, from the document inwards; nothing for the whole document.
    pub fn pointer(&self) -> impl Iterator<Item = String> {
        let way = self.pointer.map_or_else(|| format!("/{}", self.name), Into::into);
        let names: Vec<String> = way.split('/').skip(1).map(unescaped).collect();
        names.into_iter()
    }
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// Whether each name stands there once, and there are not too many.
pub(crate) const fn fit_together(columns: &[Column]) -> bool {
    let mut at = 0;
    while at < columns.len() {
        let mut other = 0;
        while other < at {
            if same(columns[at].name.as_bytes(), columns[other].name.as_bytes()) {
                return false;
            }
            other += 1;
        }
        at += 1;
    }
    columns.len() <= COLUMNS_MAX
}

const fn is_name(name: &[u8]) -> bool {
    if name.is_empty() || name.len() > COLUMN_NAME_BYTES_MAX || same(name, b"key") {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        let plain =
            name[at].is_ascii_lowercase() || at > 0 && (name[at].is_ascii_digit() || name[at] == b'_');
        if !plain {
            return false;
        }
        at += 1;
    }
    true
}

const fn is_pointer(pointer: &[u8]) -> bool {
    let mut at = 0;
    while at < pointer.len() {
        if pointer[at].is_ascii_control() || matches!(pointer[at], b'\'' | b'\\' | b'{' | b'}') {
            return false;
        }
        at += 1;
    }
    pointer.is_empty() || pointer[0] == b'/'
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_pointer_that_could_be_more_is_refused() {
        for name in ["a", "total_minor", "l2", &"n".repeat(COLUMN_NAME_BYTES_MAX)] {
            assert!(is_name(name.as_bytes()), "{name}");
        }
        for name in ["", "key", "Total", "2l", "_a", "a\"b", "a b", "ä", "a-b", "a\0", &"n".repeat(41)] {
            assert!(!is_name(name.as_bytes()), "{name}");
        }
        for pointer in ["", "/", "/a/b", "/a~1b/0", "/größe"] {
            assert!(is_pointer(pointer.as_bytes()), "{pointer}");
        }
        for pointer in ["a", "/a'", "/a\\", "/a\n", "/{schema}"] {
            assert!(!is_pointer(pointer.as_bytes()), "{pointer}");
        }
    }

    #[test]
    fn a_pointer_is_followed_name_by_name() {
        let way = |column: Column| column.pointer().collect::<Vec<_>>();
        assert_eq!(way(Column::text("city")), ["city"]);
        assert_eq!(way(Column::text("c").at("/a~1b/~01/0")), ["a/b", "~1", "0"]);
        assert!(way(Column::json("all").at("")).is_empty());
    }

    #[test]
    fn each_name_stands_there_once() {
        assert!(fit_together(&[Column::text("a"), Column::text("b")]));
        assert!(!fit_together(&[Column::text("a"), Column::text("b"), Column::integer("a")]));
        assert!(fit_together(&[]));
    }
}
