//! `northwind`: the reference service.

use annals_cli::{CliError, Global, Operations, arguments, exit_code, log_to_stderr, operations};
use clap::{Parser, Subcommand};
use northwind::{demo::Demo, import::Import, serve::Serve, shop};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Northwind Apparel: the reference service of annals
#[derive(Debug, Parser)]
#[command(name = "northwind", version)]
struct Program {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(Demo),
    Import(Import),
    Serve(Serve),
    #[command(flatten)]
    Operations(Operations),
}

/// What a shell tells of a program that was ended by ctrl-c.
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let Program { global, command } = match arguments() {
        Ok(program) => program,
        Err(code) => return code,
    };
    log_to_stderr(global.quiet);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(global.json, Err(CliError::because("the program's threads", &error))),
    };
    let outcome = runtime.block_on(run(&global, command));
    exit_code(global.json, outcome)
}

async fn run(global: &Global, command: Command) -> Result<(), CliError> {
    match command {
        Command::Demo(demo) => demo.run(global, &interrupted()).await,
        Command::Import(import) => import.run(global, &interrupted()).await,
        Command::Serve(serve) => serve.run(global, &interrupted()).await,
        Command::Operations(operation) => operations::run(&shop(), global, operation).await,
    }
}

/// Is cancelled by the first ctrl-c or SIGTERM; the second ends the program at once.
fn interrupted() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        // Where signals cannot be had, they end the program as they always did.
        if asked_to_end().await.is_ok() {
            cancelled.cancel();
            if asked_to_end().await.is_ok() {
                std::process::exit(INTERRUPTED);
            }
        }
    });
    token
}

/// Until somebody at the terminal or a supervisor wants the program to end.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
