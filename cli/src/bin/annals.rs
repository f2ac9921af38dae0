//! `annals`: the commands of every service, without a domain. It shows streams as they are stored, and has no
//! read models of its own: those are made, replayed and queried by the program of the service.

use annals_cli::{Global, Operations, Service, arguments, log_to_stderr, operations, run_to_end};
use clap::Parser;
use std::process::ExitCode;

/// What one thread takes is given back by another all along: events are read here and handled there, records are made
/// here and sent there. This allocator is good at that; the system's is not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Look into a log of annals, whatever its domain
#[derive(Debug, Parser)]
#[command(name = "annals", version)]
struct Program {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    operation: Operations,
}

fn main() -> ExitCode {
    let Program { global, operation } = match arguments() {
        Ok(program) => program,
        Err(code) => return code,
    };
    log_to_stderr(global.quiet);
    run_to_end(global.json, operations::run(&Service::new("annals"), &global, operation))
}
