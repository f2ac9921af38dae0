//! `cargo xtask bench NAME`: starts a program of `benches/`, built for release.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::workspace::{Package, Workspace};

const PACKAGE: &str = "annals-benches";

/// The one that stands in a workspace of its own, because other libraries bring much with them.
const PEERS: &str = "peers";
pub(crate) const PEERS_MANIFEST: &str = "benches/peers/Cargo.toml";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which benchmark; without it, names those there are
    name: Option<String>,
    /// One JSON object per figure on stdout: name, medium, ours, limit, ratio, goal
    #[arg(long)]
    json: bool,
    /// Interleaved pairs per figure
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Only figures whose name contains this
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Rougher figures, sooner: sqlite in under two minutes, the others in about four
    #[arg(long)]
    quick: bool,
    /// Also what takes long: appends behind ten million events
    #[arg(long)]
    long: bool,
}

/// Ends with the exit code of the benchmark.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let package = workspace.members().find(|member| member.name == PACKAGE);
    let mut names = package.map(programs).unwrap_or_default();
    names.push(PEERS);
    let Some(name) = &args.name else {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(ExitCode::SUCCESS);
    };
    if !names.contains(&name.as_str()) {
        bail!("there is no benchmark `{name}`; there are: {}", names.join(", "));
    }
    let status = command(&workspace, name, args).status().context("cannot run cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn programs(package: &Package) -> Vec<&str> {
    let is_program = |kind: &String| kind == "bin";
    let programs = package.targets.iter().filter(|target| target.kind.iter().any(is_program));
    programs.map(|target| target.name.as_str()).collect()
}

fn command(workspace: &Workspace, name: &str, args: &Args) -> Command {
    let mut command = Command::new(crate::workspace::cargo());
    command.current_dir(&workspace.root);
    if name == PEERS {
        command.args(["run", "--release", "--locked", "--manifest-path", PEERS_MANIFEST]);
        if std::env::var_os("CARGO_TARGET_DIR").is_none() {
            // What both workspaces need is built once.
            command.arg("--target-dir").arg(workspace.root.join("target"));
        }
    } else {
        command.args(["run", "--release", "--package", PACKAGE, "--bin", name]);
    }
    if args.json {
        command.arg("--quiet");
    }
    command.arg("--").args(flags(args));
    command
}

fn flags(args: &Args) -> Vec<String> {
    let mut flags = Vec::new();
    if args.json {
        flags.push("--json".into());
    }
    if let Some(rounds) = args.rounds {
        flags.extend(["--rounds".into(), rounds.to_string()]);
    }
    if let Some(only) = &args.only {
        flags.extend(["--only".into(), only.clone()]);
    }
    if args.quick {
        flags.push("--quick".into());
    }
    if args.long {
        flags.push("--long".into());
    }
    flags
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    /// The help is here, and the benchmarks have their own.
    #[test]
    fn quick_says_the_same_wherever_it_is_asked() {
        let says = "/// Rougher figures, sooner: sqlite in under two minutes, the others in about four\n";
        for file in [include_str!("bench.rs"), include_str!("../../benches/src/args.rs")] {
            assert!(file.contains(&format!("    {says}    #[arg(long)]")), "{says}");
        }
    }

    #[test]
    fn every_flag_is_passed_on() {
        let given = ["--json", "--rounds", "7", "--only", "append", "--quick", "--long"];
        let cli = Cli::parse_from(["bench", "sqlite"].into_iter().chain(given));
        assert_eq!(flags(&cli.args), given);
    }
}
