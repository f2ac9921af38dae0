//! `northwind`: the reference service.

use annals_cli::{
    CliError, Global, Operations, arguments, exit_code, interrupted, log_to_stderr, operations,
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
