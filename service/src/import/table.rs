//! The file as a whole: there, readable, text, a table with our columns. Judged before anything is written.

use super::Columns;
use csv::{ReaderBuilder, StringRecord, Trim};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The largest file that is imported, in bytes: it is held in memory while it is judged. A larger one is to be split
/// between invoices: an invoice comes in whole or not at all.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// A table of sales lines, sound as a table; what its lines say was not judged yet.
#[derive(Debug)]
pub struct Table {
    pub(super) columns: Columns,
    pub(super) rows: Vec<Row>,
}

/// A data line of the file.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it begins; the header is on line 1.
    pub(super) line: u64,
    pub(super) fields: StringRecord,
}

/// Why a file cannot be imported at all. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is none.
    #[error("{} is no regular file", .0.display())]
    NoFile(PathBuf),
    /// It is too large.
    #[error("{} has more than {FILE_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    /// There is nothing in it.
    #[error("{} is empty: expected a header and lines of sales", .0.display())]
    Empty(PathBuf),
    /// It is no UTF-8.
    #[error("{} is not UTF-8: line {line} holds the byte 0x{byte:02x}", file.display())]
    Encoding {
        /// Which file.
        file: PathBuf,
        /// Its first bad line.
        line: usize,
        /// The byte that begins no character there.
        byte: u8,
    },
    /// It is no CSV.
    #[error("{} is not CSV: line {line} {reason}", file.display())]
    NoCsv {
        /// Which file.
        file: PathBuf,
        /// Where it shows.
        line: u64,
        /// How it shows.
        reason: String,
    },
    /// A column is missing, or there twice.
    #[error("{}, line 1: {reason}", file.display())]
    Header {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is only a header.
    #[error("{} has only a header: there is nothing to import after line 1", .0.display())]
    OnlyHeader(PathBuf),
}

impl FileError {
    /// What a person does about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check the path, and that this user may read the file",
            Self::NoFile(_) => "name a CSV file",
            Self::TooLarge(_) => {
                "split it between invoices, never inside one, with the header on each part, and import the parts one \
                 after the other"
            }
            Self::Empty(_) | Self::OnlyHeader(_) => "name a file with a header and lines of sales",
            Self::Encoding { .. } => "save it as UTF-8 and try again",
            Self::NoCsv { .. } => "mend that line, or save the file anew as CSV in UTF-8",
            Self::Header { .. } => "name the columns as `northwind import --help` does, in any order",
        }
    }
}

impl Table {
    /// Reads the whole file, at most [`FILE_BYTES_MAX`].
    pub fn read(file: &Path) -> Result<Self, FileError> {
        let text = text_of(file)?;
        Self::parse(file, text.strip_prefix('\u{feff}').unwrap_or(&text))
    }

    /// How many data lines it has.
    pub fn lines(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, FileError> {
        if text.trim().is_empty() {
            return Err(FileError::Empty(file.into()));
        }
        // A quote that is never closed swallows the rest of the file without an error. So a last line is added that
        // shows whether it could be read as a line of its own.
        let closed = text.as_bytes().chain(END.as_bytes());
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(closed);
        let (mut rows, mut lines) = (vec![], Lines::of(text));
        for record in reader.records() {
            let fields = record.map_err(|error| no_csv(file, &mut lines, &error))?;
            rows.push(Row { line: lines.at(fields.position()), fields });
        }
        let end = rows.pop().expect("the last line was added above");
        if end.fields.len() != 1 || &end.fields[0] != END.trim() {
            let reason = "opens a quote that is never closed".into();
            return Err(FileError::NoCsv { file: file.into(), line: end.line, reason });
        }
        if rows.is_empty() {
            return Err(FileError::Empty(file.into()));
        }
        let header = rows.remove(0);
        let columns = Columns::find(&header.fields)
            .map_err(|reason| FileError::Header { file: file.into(), reason })?;
        if rows.is_empty() {
            return Err(FileError::OnlyHeader(file.into()));
        }
        Ok(Self { columns, rows })
    }
}

/// What is read as the last line if all quotes before it are closed.
const END: &str = "\nend-of-the-imported-file";

fn text_of(file: &Path) -> Result<String, FileError> {
    let unreadable = |source| FileError::Unreadable { file: file.into(), source };
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(FileError::NoFile(file.into()));
    }
    let mut bytes = vec![];
    // Read to a limit, not to the size told before: a file may grow.
    let opened = fs::File::open(file).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(FileError::TooLarge(file.into()));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let reason = "holds a NUL: it is no text, or in UTF-16".into();
        return Err(FileError::NoCsv { file: file.into(), line: line_of(&bytes, at) as u64, reason });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        FileError::Encoding { file: file.into(), line: line_of(bytes, at), byte: bytes[at] }
    })
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + line_ends(&bytes[..at])
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// Counts the lines of a text from 1, for places that come in their order.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), counted: 0, line: 1 }
    }

    /// The line that a record begins on. The reader stands before the line ends that it skips: the second half of
    /// `\r\n`, and empty lines; its own count is of that place.
    fn at(&mut self, position: Option<&csv::Position>) -> u64 {
        let stands = position.and_then(|it| usize::try_from(it.byte()).ok()).unwrap_or(self.counted);
        let ends = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let behind = self.text.get(stands..).unwrap_or_default();
        let begins = stands.min(self.text.len()) + behind.iter().take_while(ends).count();
        let passed = self.text.get(self.counted..begins).unwrap_or_default();
        self.line += line_ends(passed) as u64;
        self.counted = self.counted.max(begins);
        self.line
    }
}

fn no_csv(file: &Path, lines: &mut Lines<'_>, error: &csv::Error) -> FileError {
    let line = lines.at(error.position());
    FileError::NoCsv { file: file.into(), line, reason: format!("cannot be read: {error}") }
}
