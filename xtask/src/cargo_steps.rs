//! The steps that cargo does: formatting, compiling, clippy, docs, tests.

use crate::step::{self, Outcome, Step};
use crate::workspace::Workspace;

pub(crate) const FMT: Step =
    Step { name: "fmt", promise: "rustfmt would change nothing", needs: None, run: fmt };

/// In order; each needs the one before it, or what it compiles.
pub(crate) const COMPILING: [Step; 5] = [
    Step {
        name: "libraries",
        promise: "there is what the driver of Kafka is built with; installed where that may be",
        needs: None,
        run: libraries,
    },
    Step {
        name: "compile",
        promise: "everything builds, tests and benches included",
        needs: Some("libraries"),
        run: compile,
    },
    Step {
        name: "clippy",
        promise: "clippy warns of nothing, with and without the test features",
        needs: Some("compile"),
        run: clippy,
    },
    Step { name: "docs", promise: "the docs build without a warning", needs: Some("compile"), run: docs },
    Step { name: "tests", promise: "every test and doc example passes", needs: Some("compile"), run: tests },
];

/// How libtest begins its verdict on one program.
const RESULT: &str = "test result: ";

fn fmt(workspace: &Workspace) -> anyhow::Result<Outcome> {
    step::all(vec![workspace.cargo(&["fmt", "--all", "--", "--check", "--color", "never"])])
}

/// A note of what is there. What is lacking is named before a build fails for it with many words.
fn libraries(_: &Workspace) -> anyhow::Result<Outcome> {
    annals_services::install_libraries().map(Outcome::Passed)
}

fn compile(workspace: &Workspace) -> anyhow::Result<Outcome> {
    step::all(vec![workspace.cargo(&["test", "--workspace", "--all-targets", "--no-run", "--locked"])])
}

fn clippy(workspace: &Workspace) -> anyhow::Result<Outcome> {
    step::all(vec![
        workspace.cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
        // As a user gets it: a use of what only a dev-dependency's feature brings is an error here.
        workspace.cargo(&["clippy", "--workspace", "--locked", "--", "-D", "warnings"]),
    ])
}

fn docs(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let mut command = workspace.cargo(&["doc", "--no-deps", "--workspace", "--all-features", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    step::all(vec![command])
}

fn tests(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let command = workspace.cargo(&["test", "--workspace", "--no-fail-fast", "--locked"]);
    let mut count = Count::default();
    let ran = step::run(command, |line| {
        count.see(line);
        // Which program runs, and cargo's own verdict on it: the lines that other programs read too.
        let line_start = line.trim_start();
        if ["Running ", "Doc-tests ", RESULT].iter().any(|start| line_start.starts_with(start))
            || is_left_out(line)
        {
            println!("{line}");
        }
    })?;
    Ok(if !ran.success {
        Outcome::Failed(without_results(&ran.output))
    } else if count.passed == 0 {
        Outcome::Failed(format!("no test ran\n{}", ran.output))
    } else {
        Outcome::Passed(count.to_string())
    })
}

/// Each verdict was shown when it came; a second time, whoever adds them up would count it twice.
fn without_results(output: &str) -> String {
    let lines = output.lines().filter(|line| !line.starts_with(RESULT));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A test that found that it could not be run here says so on a line of its own.
fn is_left_out(line: &str) -> bool {
    ["SKIPPED", "skipped "].iter().any(|start| line.starts_with(start))
}

/// Tests counted over all `test result:` lines.
#[derive(Default)]
struct Count {
    passed: u64,
    ignored: u64,
    left_out: u64,
}

impl Count {
    fn see(&mut self, line: &str) {
        self.left_out += u64::from(is_left_out(line));
        let Some(result) = line.strip_prefix(RESULT) else { return };
        let words: Vec<&str> = result.split([' ', ';', '.']).collect();
        let before = |word| {
            let at = words.iter().position(|other| *other == word)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        self.passed += before("passed").unwrap_or(0);
        self.ignored += before("ignored").unwrap_or(0);
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed", self.passed)?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        if self.left_out > 0 {
            write!(f, ", of these {} not done for lack of something: see the lines above", self.left_out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_not_repeated() {
        let output = "test a ... FAILED\nwhy\ntest result: FAILED. 0 passed; 1 failed\nerror: test failed\n";
        assert_eq!(without_results(output), "test a ... FAILED\nwhy\nerror: test failed\n");
    }

    #[test]
    fn results_are_added_up() {
        let mut count = Count::default();
        count.see(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
        );
        count.see("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        count.see("test results_are_added_up ... ok");
        assert_eq!(count.to_string(), "15 passed, 1 ignored");
    }
}
