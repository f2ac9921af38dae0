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
            let text = error.render().to_string();
            let reason = text.trim_start_matches("error: ").trim_end();
            return crate::exit_code(true, Err(CliError::usage("arguments", reason)));
        }
        match error.print() {
            Err(unwritten) if unwritten.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
        }
    })
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
