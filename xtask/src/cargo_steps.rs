//! The steps that cargo does: formatting, compiling, clippy, docs, tests.

use annals_services::NOT_RUN;

use crate::bench::PEERS_MANIFEST;
use crate::step::{self, Outcome, Step};
use crate::workspace::Workspace;

pub(crate) const FMT: Step =
    Step { name: "fmt", promise: "rustfmt would change nothing", needs: None, run: fmt };

pub(crate) const LOCKS: Step = Step {
    name: "locks",
    promise: "the lock file of the peers, which nothing else here builds, is as the manifests want it",
    needs: None,
    run: locks,
};

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

/// What cargo names where it would change or make a lock file, or cannot read it.
const OF_LOCKS: &str = "lock file";

/// What a promise of a contract suite says that means nothing to a kind of store.
const DOES_NOT_APPLY: &str = "DOES NOT APPLY: ";

/// How libtest begins its verdict on one program.
const RESULT: &str = "test result: ";

fn fmt(workspace: &Workspace) -> anyhow::Result<Outcome> {
    step::all(vec![workspace.cargo(&["fmt", "--all", "--", "--check", "--color", "never"])])
}

/// A dependency that our crates get belongs there too.
fn locks(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let looks = ["update", "--workspace", "--locked", "--manifest-path", PEERS_MANIFEST];
    let ran = step::run(workspace.cargo(&looks), |_| ())?;
    Ok(if ran.success {
        Outcome::Passed(String::new())
    } else if ran.output.contains(OF_LOCKS) {
        let mend = format!("mend it: cargo update --workspace --manifest-path {PEERS_MANIFEST}\n");
        Outcome::Failed(ran.output + &mend)
    } else {
        Outcome::NotChecked(format!("cargo could not tell\n{}", ran.output))
    })
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
            || not_run(line).is_some()
        {
            println!("{line}");
        }
    })?;
    Ok(if !ran.success {
        Outcome::Failed(without_results(&ran.output))
    } else if count.passed == 0 {
        Outcome::Failed(format!("no test ran\n{}", ran.output))
    } else {
        Outcome::InPart(count.to_string(), count.not_run)
    })
}

/// Each verdict was shown when it came; a second time, whoever adds them up would count it twice.
fn without_results(output: &str) -> String {
    let lines = output.lines().filter(|line| !line.starts_with(RESULT));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What a test says that found that it could not be run here. With one test at a time, libtest has begun the line.
fn not_run(line: &str) -> Option<&str> {
    Some(line.split_once(NOT_RUN)?.1)
}

/// Tests counted over all `test result:` lines.
#[derive(Default)]
struct Count {
    passed: u64,
    ignored: u64,
    not_run: Vec<String>,
    not_applying: u64,
}

impl Count {
    fn see(&mut self, line: &str) {
        self.not_run.extend(not_run(line).map(str::to_string));
        self.not_applying += u64::from(line.contains(DOES_NOT_APPLY));
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
        if self.not_applying > 0 {
            write!(f, ", of these {} promises that do not apply to their store", self.not_applying)?;
        }
        if !self.not_run.is_empty() {
            write!(f, ", and {} NOT RUN: see the end", self.not_run.len())?;
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

    #[test]
    fn tests_that_were_not_run_are_counted_wherever_they_say_so() {
        let mut count = Count::default();
        count.see("NOT RUN: a full disk: mounting a small disk needs root");
        count.see("test read_only::a_file ... NOT RUN: a file: only root can");
        count.see("DOES NOT APPLY: c10: the store shares no database");
        count.see("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        let told =
            "3 passed, of these 1 promises that do not apply to their store, and 2 NOT RUN: see the end";
        assert_eq!(count.to_string(), told);
        assert_eq!(count.not_run, ["a full disk: mounting a small disk needs root", "a file: only root can"]);
    }

    /// Promises that are skipped say so without knowing of this crate: in the same words.
    #[test]
    fn the_contract_suites_say_it_in_the_words_that_are_counted() {
        for word in [NOT_RUN, DOES_NOT_APPLY] {
            let says_so = format!("\"{word}{{promise}}: {{reason}}\\n\"");
            assert!(include_str!("../../engine/src/testing/promise.rs").contains(&says_so), "{says_so}");
        }
    }
}
