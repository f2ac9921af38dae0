//! The steps that cargo does: formatting, compiling, clippy, docs, tests.

use crate::step::{self, Outcome, Step};
use crate::workspace::Workspace;

pub(crate) const FMT: Step =
    Step { name: "fmt", promise: "rustfmt would change nothing", needs: None, run: fmt };

/// In order; all but the first need it.
pub(crate) const COMPILING: [Step; 4] = [
    Step {
        name: "compile",
        promise: "everything builds, tests and benches included",
        needs: None,
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

fn fmt(workspace: &Workspace) -> anyhow::Result<Outcome> {
    step::all(vec![workspace.cargo(&["fmt", "--all", "--check"])])
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
        if ["Running ", "Doc-tests ", "test result: "].iter().any(|start| line_start.starts_with(start)) {
            println!("{line}");
        }
    })?;
    Ok(if !ran.success {
        Outcome::Failed(ran.output)
    } else if count.passed == 0 {
        Outcome::Failed(format!("no test ran\n{}", ran.output))
    } else {
        Outcome::Passed(count.to_string())
    })
}

/// Tests counted over all `test result:` lines.
#[derive(Default)]
struct Count {
    passed: u64,
    ignored: u64,
}

impl Count {
    fn see(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
