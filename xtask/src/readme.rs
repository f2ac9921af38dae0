//! `cargo xtask readme`: runs what README.md shows, as it is printed.

use crate::workspace::Workspace;
use anyhow::{Context, bail};
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

/// How a block begins that is to be run.
const FENCE: &str = "```console";

/// How a command begins; what stands between commands is what they print.
const PROMPT: &str = "$ ";

/// Decides by itself, and starts what others would find running.
const ELSEWHERE: &str = "cargo xtask test";

/// What holds for each block: the first failure ends it, an error that is an answer is one, and what it left running
/// ends with it.
const PRELUDE: &str = "set -euo pipefail; set -m; trap 'jobs -p | xargs -r kill' EXIT; \
                       curl() { command curl --silent --show-error --fail-with-body \"$@\"; echo; }";

/// Commands that are shown together.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    line: usize,
    commands: Vec<String>,
}

/// Runs all blocks, one after the other, in an empty directory below the target directory: what one leaves, the next
/// one finds.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let text = fs::read_to_string(workspace.root.join("README.md")).context("cannot read README.md")?;
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = workspace.root.join(target.as_deref().map_or(Path::new("target"), Path::new));
    let place = target.join("readme");
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    for block in blocks(&text) {
        let began = Instant::now();
        let script = block.commands.iter().fold(PRELUDE.to_string(), |script, command| {
            let shown = command.replace('\'', r"'\''");
            format!("{script}\nprintf '$ %s\\n' '{shown}'\n{command}")
        });
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(&place).env("CARGO_TARGET_DIR", &target);
        let status = bash.stdin(Stdio::null()).status().context("cannot run bash")?;
        if !status.success() {
            bail!("README.md, line {}: a command failed ({status})", block.line);
        }
        println!("README.md, line {}: ok, {:.1} s", block.line, began.elapsed().as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}

/// What `text` shows to be run.
fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut continued) = (Vec::<Block>::new(), false, false);
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            open = line == FENCE;
            if open {
                blocks.push(Block { line: index + 1, commands: vec![] });
            }
        } else if let (true, Some(block)) = (open, blocks.last_mut()) {
            match (line.strip_prefix(PROMPT), block.commands.last_mut()) {
                (Some(command), _) => block.commands.push(command.into()),
                (None, Some(command)) if continued => *command = format!("{command}\n{line}"),
                (None, _) => {}
            }
            continued = line.ends_with('\\');
        }
    }
    for block in &mut blocks {
        block.commands.retain(|command| !command.starts_with(ELSEWHERE));
    }
    blocks.retain(|block| !block.commands.is_empty());
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_run_with_their_continuations_and_without_what_they_print() {
        let text = "```sh\nnot this\n```\n```console\n$ cargo xtask test   # no\n$ curl \\\n    x\nit says\n$ b &\n```\n";
        let commands = vec!["curl \\\n    x".into(), "b &".into()];
        assert_eq!(blocks(text), [Block { line: 4, commands }]);
    }

    #[test]
    fn the_readme_shows_something_of_every_part() {
        let blocks = blocks(include_str!("../../README.md"));
        let all: Vec<&str> = blocks.iter().flat_map(|block| &block.commands).map(String::as_str).collect();
        for part in ["-- demo ", "-- serve", "POSTGRES_URL", "--publish", "ConsoleConsumer", "-- consume"] {
            assert!(all.iter().any(|command| command.contains(part)), "{part}");
        }
    }

    /// How it was broken: another name of the group in README.md.
    #[test]
    fn the_consumer_that_the_readme_shows_is_the_one_whose_docs_compile() {
        let shown = include_str!("../../README.md").split("```rust,ignore\n").nth(1).unwrap_or_default();
        let shown = shown.split("```").next().unwrap_or_default();
        let docs = include_str!("../../store-kafka/src/lib.rs");
        let docs: String = docs
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(shown.contains("Consumer::new") && docs.contains(shown), "{shown}");
    }
}
