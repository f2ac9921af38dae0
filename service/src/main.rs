//! `northwind`: the reference service.

use annals_cli::{
    CliError, Global, Operations, arguments, interrupted, log_to_stderr, operations, run_to_end,
};
use clap::{Parser, Subcommand};
use northwind::{demo::Demo, import::Import, serve::Serve, shop};
use std::process::ExitCode;

/// What one thread takes is given back by another all along: events are read here and handled there, records are made
/// here and sent there. This allocator is good at that; the system's is not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

fn main() -> ExitCode {
    let Program { global, command } = match arguments() {
        Ok(program) => program,
        Err(code) => return code,
    };
    log_to_stderr(global.quiet);
    run_to_end(global.json, run(&global, command))
}

async fn run(global: &Global, command: Command) -> Result<(), CliError> {
    match command {
        Command::Demo(demo) => demo.run(global, &interrupted()).await,
        Command::Import(import) => import.run(global, &interrupted()).await,
        Command::Serve(serve) => serve.run(global, &interrupted()).await,
        Command::Operations(operation) => operations::run(&shop(), global, operation).await,
    }
}
