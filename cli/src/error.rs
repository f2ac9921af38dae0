//! How a command ends that does not end well.

use annals::error_text;
use serde::Serialize;
use std::{error::Error, fmt, io, process::ExitCode};

/// Why a command ended: the thing it is about, the reason with all its causes, and what to do next.
///
/// Printed on stderr as `error: THING: REASON` and `next: …`, with `--json` as one JSON object
/// (`error`, `thing`, `reason`, `next`, `exit_code`).
#[derive(Debug, thiserror::Error)]
#[error("{thing}: {reason}")]
pub struct CliError {
    exit: Exit,
    thing: String,
    reason: String,
    next: Option<String>,
}

/// How a program tells its caller what became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: whoever reads the output has closed it, and wants no more.
    Closed,
    /// 1: it was tried and failed.
    Failed,
    /// 2: it was not tried, because it was asked for in a wrong way.
    Usage,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl CliError {
    /// `thing` failed for `reason`: exit code 1.
    pub fn failed(thing: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, thing: thing.to_string(), reason: reason.to_string(), next: None }
    }

    /// `thing` failed because of `error` and its causes: exit code 1.
    pub fn because(thing: impl fmt::Display, error: &dyn Error) -> Self {
        Self::failed(thing, error_text(error))
    }

    /// `thing` was given wrongly: exit code 2.
    pub fn usage(thing: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::failed(thing, reason) }
    }

    /// What a person does about it; continues `next: `.
    #[must_use]
    pub fn next(self, step: impl fmt::Display) -> Self {
        Self { next: Some(step.to_string()), ..self }
    }

    /// Output that could not be written; one that was closed, as by `| head`, ends the program quietly.
    pub fn output(error: &io::Error) -> Self {
        let failed = Self::because("output", error);
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Closed, ..failed };
        }
        failed.next("look whether the disk that it is written to is full")
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes it for people, or as JSON; nothing when the output was closed.
    pub fn print(&self, json: bool, to: &mut dyn io::Write) -> io::Result<()> {
        if self.exit == Exit::Closed {
            return Ok(());
        }
        if !json {
            writeln!(to, "error: {}: {}", self.thing, self.reason)?;
            return self.next.iter().try_for_each(|step| writeln!(to, "next: {step}"));
        }
        let (error, exit_code) = (self.to_string(), self.exit.code());
        let Self { thing, reason, next, .. } = self;
        serde_json::to_writer(&mut *to, &AsJson { error, thing, reason, next: next.as_deref(), exit_code })?;
        writeln!(to)
    }
}

#[derive(Serialize)]
struct AsJson<'a> {
    error: String,
    thing: &'a str,
    reason: &'a str,
    next: Option<&'a str>,
    exit_code: u8,
}

/// Tells on stderr why a command failed, and gives the code that the program ends with.
pub fn exit_code(json: bool, outcome: Result<(), CliError>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // When stderr is gone too, the exit code is all that is left to say it.
    let _ = error.print(json, &mut io::stderr().lock());
    ExitCode::from(error.exit.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: &CliError, json: bool) -> String {
        let mut text = vec![];
        error.print(json, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn an_error_names_the_thing_the_reason_and_the_next_step() {
        let error = CliError::failed("order-7", "there is no such stream").next("list them with `streams`");
        assert_eq!(
            printed(&error, false),
            "error: order-7: there is no such stream\nnext: list them with `streams`\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(&error, true)).unwrap();
        assert_eq!(json["thing"], "order-7");
        assert_eq!(json["next"], "list them with `streams`");
        assert_eq!(json["exit_code"], 1);
    }

    #[test]
    fn the_kind_of_failure_decides_the_exit_code() {
        assert_eq!(CliError::failed("a", "b").exit().code(), 1);
        assert_eq!(CliError::usage("a", "b").exit().code(), 2);
        assert_eq!(CliError::output(&io::ErrorKind::StorageFull.into()).exit().code(), 1);
    }

    #[test]
    fn a_closed_output_ends_quietly() {
        let error = CliError::output(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((error.exit().code(), printed(&error, false)), (0, String::new()));
    }
}
