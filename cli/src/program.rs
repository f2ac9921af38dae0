//! What a program does around a command: arguments in, log lines and exit code out.

use crate::{CliError, url::masked};
use clap::Parser;
use std::{
    future::Future,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};
use tracing_subscriber::filter::LevelFilter;

/// Reads the arguments of the program.
///
/// # Errors
/// The code to end with, when the arguments are wrong (2) or asked for help (0), which was printed then. With
/// `--json` wrong usage is told as one JSON object on stderr.
pub fn arguments<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        let given: Vec<String> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into()).collect();
        let plain = error.render().to_string();
        let shown = without_secrets(&plain, &given);
        if error.use_stderr() && given.iter().any(|argument| argument == "--json") {
            return crate::exit_code(true, Err(refused(&shown)));
        }
        // With colours, where there was nothing to hide.
        let printed =
            if shown == plain { error.print() } else { io::stderr().lock().write_all(shown.as_bytes()) };
        match printed {
            Err(unwritten) if unwritten.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
        }
    })
}

/// How long a question to a server that does not answer may hold up the end of a program that was asked to end.
pub const LEFT_BEHIND_MAX: Duration = Duration::from_secs(1);

/// Runs a command on threads of its own, and tells on stderr why it failed; the code that the program ends with.
pub fn run_to_end(json: bool, command: impl Future<Output = Result<(), CliError>>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return crate::exit_code(json, Err(CliError::because("the program's threads", &error))),
    };
    let code = crate::exit_code(json, runtime.block_on(command));
    // What the command waited for is done; a question that it no longer waits for may take until nobody answers.
    runtime.shutdown_timeout(LEFT_BEHIND_MAX);
    code
}

/// What clap says, with the URLs that it echoes shown as [`StoreUrl`](crate::StoreUrl) shows them.
fn without_secrets(text: &str, given: &[String]) -> String {
    let value = |argument: &String| match argument.split_once('=') {
        Some((option, value)) if option.starts_with('-') => value.to_string(),
        _ => argument.clone(),
    };
    let mut echoed: Vec<_> = given.iter().map(value).filter_map(|it| Some((masked(&it)?, it))).collect();
    // The longest first: one may be part of another.
    echoed.sort_by_key(|(_, argument)| std::cmp::Reverse(argument.len()));
    echoed.iter().fold(text.to_string(), |text, (masked, argument)| {
        // Some errors quote as Rust does.
        text.replace(argument, masked).replace(format!("{argument:?}").trim_matches('"'), masked)
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

    #[derive(Debug, Parser)]
    struct Program {
        #[arg(long)]
        pieces: Option<u64>,
        #[arg(long)]
        stream: Option<annals::StreamId>,
    }

    #[test]
    fn what_clap_echoes_of_a_url_has_no_secret() {
        for line in [
            "mysql://shop:hunter2@db",
            "--pieces mysql://shop:hunter2@db",
            "--pieces=mysql://shop:hunter2@db",
            "--pieces cosmos:AccountKey=hunter2",
            "--stroe=postgres://shop:hunter2@db",
            "-postgres://shop:hunter2@db",
            r"--stream postgres://shop:hunter2\'@db",
        ] {
            let given: Vec<String> = line.split(' ').map(Into::into).collect();
            let all = std::iter::once("northwind".to_string()).chain(given.clone());
            let text = Program::try_parse_from(all).unwrap_err().render().to_string();
            assert!(!without_secrets(&text, &given).contains("hunter2"), "{line}: {text}");
        }
        // The control: clap says what it was given.
        let text = Program::try_parse_from(["northwind", "mysql://shop:hunter2@db"]).unwrap_err().to_string();
        assert!(text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_clap_says_becomes_one_line() {
        let text =
            "error: the following required arguments were not provided:\n  <STREAM>\n\nUsage: northwind show";
        let told = refused(text).to_string();
        assert_eq!(told, "arguments: the following required arguments were not provided: <STREAM>");
    }
}
