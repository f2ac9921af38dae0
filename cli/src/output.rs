//! What a command prints.

use crate::{CliError, Global, Progress};
use serde::Serialize;
use std::{
    fmt,
    io::{self, BufWriter, IsTerminal, Write},
};

/// Where a command prints: text for people, or with `--json` one JSON document, or one object per line. Remarks and
/// progress go to stderr.
///
/// What is printed is buffered: [`flush`](Self::flush) reports what could not be written. An output that is closed
/// while something is written, as by `| head`, is an error that ends the program quietly.
pub struct Output {
    to: Box<dyn Write + Send + Sync>,
    json: bool,
    quiet: bool,
    stores_again: String,
}

impl Output {
    /// To stdout.
    pub fn stdout(global: &Global) -> Self {
        Self::to(global, BufWriter::new(io::stdout()))
    }

    /// To somewhere else: for tests.
    pub fn to(global: &Global, to: impl Write + Send + Sync + 'static) -> Self {
        let stores_again = global.stores_again();
        Self { to: Box::new(to), json: global.json, quiet: global.quiet, stores_again }
    }

    /// The stores of this command, to be put behind one that is advised: [`Global::stores_again`].
    pub(crate) fn stores_again(&self) -> &str {
        &self.stores_again
    }

    /// Whether JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line of text, or several.
    pub fn text(&mut self, text: impl fmt::Display) -> Result<(), CliError> {
        writeln!(self.to, "{text}").map_err(|error| CliError::output(&error))
    }

    /// A piece of a document that is printed bit by bit.
    pub(crate) fn part(&mut self, text: impl fmt::Display) -> Result<(), CliError> {
        write!(self.to, "{text}").map_err(|error| CliError::output(&error))
    }

    /// A line of JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), CliError> {
        self.json_part(value)?;
        self.part("\n")
    }

    /// JSON inside a document that is printed bit by bit.
    pub(crate) fn json_part(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), CliError> {
        // serde_json tells a failed write and a value that is no JSON by one error; only the first keeps its kind.
        serde_json::to_writer(&mut self.to, value).map_err(|error| match error.io_error_kind() {
            Some(kind) => CliError::output(&kind.into()),
            None => CliError::because("output", &error),
        })
    }

    /// `value` as a line of JSON where that is wanted, else the text that `human` makes of it.
    pub fn answer<T: Serialize, D: fmt::Display>(
        &mut self,
        value: &T,
        human: impl FnOnce(&T) -> D,
    ) -> Result<(), CliError> {
        if self.json { self.json(value) } else { self.text(human(value)) }
    }

    /// A remark on stderr, unless `--quiet`.
    pub fn note(&self, text: impl fmt::Display) {
        if !self.quiet {
            // A remark that cannot be made is none; results and errors have other ways.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Tells of one of several failures, as the last of them is told when the program ends.
    pub(crate) fn failed(&self, error: &CliError) {
        // When stderr is gone too, the exit code is all that is left to say it.
        let _ = error.print(self.json, &mut io::stderr().lock());
    }

    /// Progress of something that may take long, on stderr.
    pub fn progress(&self, what: &str) -> Progress {
        Progress::new(what, !self.quiet && io::stderr().is_terminal())
    }

    /// Writes what is buffered.
    pub fn flush(&mut self) -> Result<(), CliError> {
        self.to.flush().map_err(|error| CliError::output(&error))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("json", &self.json).field("quiet", &self.quiet).finish_non_exhaustive()
    }
}
