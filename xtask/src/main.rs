//! The developer's commands: `cargo xtask test`, `up`, `down`, `doctor`, `readme` and `bench`.
//!
//! `test` is all that decides whether a change is good; what runs elsewhere calls it and nothing else.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks by printing")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod without_kafka;
mod workspace;

mod cargo_steps;
mod not_run;
mod step;
mod test;

mod deny_toml;
mod licences;
mod rules;

mod bench;
mod doctor;
mod readme;
mod services;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The developer's commands of annals", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check everything: formatting, house rules, licences, clippy, docs, tests
    Test(test::Args),
    /// Start what tests need, and leave it running
    Up,
    /// Stop what `up` started
    Down,
    /// Say what this machine has, what it lacks, and how to get it
    Doctor,
    /// Run the commands that README.md shows, as they are printed
    Readme,
    /// Run one benchmark in release mode
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Up => services::up(),
        Command::Down => services::down(),
        Command::Doctor => doctor::run(),
        Command::Readme => readme::run(),
        Command::Bench(args) => bench::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
