//! What a program does around a command: arguments in, log lines and exit code out.

use crate::CliError;
use clap::Parser;
use std::{io, process::ExitCode};
use tracing_subscriber::filter::LevelFilter;

/// Reads the arguments of the program.
///
/// # Errors
/// The code to end with, when the arguments are wrong (2) or asked for help (0), which was printed then. With
/// `--json` wrong usage is told as one JSON object on stderr.
pub fn arguments<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        let json = std::env::args_os().any(|argument| argument == "--json");
        if error.use_stderr() && json {
            return crate::exit_code(true, Err(refused(&error.render().to_string())));
        }
        match error.print() {
            Err(unwritten) if unwritten.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
        }
    })
}

/// What clap says before it shows the usage, on one line.
fn refused(text: &str) -> CliError {
    let said = text.split("\n\nUsage:").next().unwrap_or_default().trim_start_matches("error: ");
    let words: Vec<&str> = said.split_whitespace().collect();
    CliError::usage("arguments", words.join(" ")).next("see --help")
}

/// Sends what the engine logs to stderr: warnings and errors, with `quiet` errors only. Once per process; a second
/// call changes nothing.
pub fn log_to_stderr(quiet: bool) {
    let level = if quiet { LevelFilter::ERROR } else { LevelFilter::WARN };
    let started = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).try_init();
    if started.is_err() {
        tracing::debug!("a log was started before");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_becomes_one_line() {
        let text =
            "error: the following required arguments were not provided:\n  <STREAM>\n\nUsage: northwind show";
        let told = refused(text).to_string();
        assert_eq!(told, "arguments: the following required arguments were not provided: <STREAM>");
    }
}
