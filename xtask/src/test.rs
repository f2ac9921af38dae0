//! `cargo xtask test`: every check there is, in one run, with one line each and a verdict.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::services::Services;
use crate::step::{Outcome, Step};
use crate::workspace::Workspace;
use crate::{cargo_steps, licences, not_run, rules, without_kafka};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these steps (repeat it, or separate by commas)
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Name the steps and what they promise
    #[arg(long)]
    list: bool,
}

/// Every step in the order in which they run: the quick ones first.
fn steps() -> Vec<Step> {
    let mut steps = vec![cargo_steps::FMT, cargo_steps::LOCKS];
    steps.extend(rules::STEPS);
    steps.extend(licences::STEPS);
    // Before what builds with all features, so that those programs are what is left.
    steps.push(without_kafka::STEP);
    steps.extend(cargo_steps::COMPILING);
    steps
}

/// Runs the steps; a failed one does not stop those that can go on without it.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let steps = steps();
    if args.list {
        for step in &steps {
            println!("{:<11} {}", step.name, step.promise);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(steps, &args.only)?;
    let mut workspace = Workspace::load()?;
    let started = Instant::now();
    let services = chosen.iter().any(|step| step.name == "tests").then(|| start_services(&mut workspace));
    let mut verdicts = run_all(&chosen, |step| {
        announce(step.name);
        let began = Instant::now();
        let outcome =
            (step.run)(&workspace).unwrap_or_else(|error| Outcome::Failed(format!("error: {error:#}\n")));
        report(step.name, &outcome, began.elapsed());
        outcome
    });
    for (name, why) in services.iter().flat_map(Services::missing) {
        verdicts.push((name, Verdict::NotChecked(why)));
    }
    // Before the verdict: what stops last may have something to say.
    drop(services);
    Ok(summary(&verdicts, started.elapsed()))
}

/// Starts what tests need. They skip, out loud, what needs a service that cannot be started.
fn start_services(workspace: &mut Workspace) -> Services {
    announce("services");
    let began = Instant::now();
    let services = Services::start(workspace);
    workspace.environment = services.environment();
    let outcome = match &services.missing()[..] {
        [] => {
            let names: Vec<_> = workspace.environment.iter().map(|(name, _)| *name).collect();
            Outcome::Passed(names.join(", "))
        }
        missing => {
            let told: Vec<_> = missing.iter().map(|(name, why)| format!("{name}: {why}")).collect();
            Outcome::NotChecked(told.join("; "))
        }
    };
    report("services", &outcome, began.elapsed());
    services
}

fn choose(mut steps: Vec<Step>, only: &[String]) -> anyhow::Result<Vec<Step>> {
    if let Some(unknown) = only.iter().find(|name| steps.iter().all(|step| step.name != name.as_str())) {
        let known: Vec<_> = steps.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; there are: {}", known.join(", "));
    }
    if !only.is_empty() {
        let named = |wanted: &str| only.iter().any(|name| name == wanted);
        // What is compiled on a new machine wants its libraries, also where only one step is asked for.
        let [libraries, compiling @ ..] = &cargo_steps::COMPILING;
        let compiles = compiling.iter().any(|step| named(step.name));
        steps.retain(|step| named(step.name) || (compiles && step.name == libraries.name));
    }
    Ok(steps)
}

/// What became of a step.
#[derive(Debug, PartialEq)]
enum Verdict {
    Passed,
    /// But these tests were not run.
    InPart(Vec<String>),
    Failed,
    NotChecked(String),
    /// Because the named step failed.
    Skipped(&'static str),
}

impl Verdict {
    fn not_run(&self) -> usize {
        if let Self::InPart(not_run) = self { not_run.len() } else { 0 }
    }
}

fn run_all(steps: &[Step], mut run: impl FnMut(&Step) -> Outcome) -> Vec<(&'static str, Verdict)> {
    let mut verdicts: Vec<(&'static str, Verdict)> = Vec::new();
    for step in steps {
        let lacks = verdicts.iter().find(|(name, verdict)| {
            step.needs == Some(*name) && matches!(verdict, Verdict::Failed | Verdict::Skipped(_))
        });
        let verdict = match lacks {
            Some((failed, _)) => {
                println!("{:<11} skipped, because {failed} failed", step.name);
                Verdict::Skipped(failed)
            }
            None => match run(step) {
                Outcome::Passed(_) => Verdict::Passed,
                Outcome::InPart(_, not_run) if not_run.is_empty() => Verdict::Passed,
                Outcome::InPart(_, not_run) => Verdict::InPart(not_run),
                Outcome::Failed(_) => Verdict::Failed,
                Outcome::NotChecked(why) => Verdict::NotChecked(why),
            },
        };
        verdicts.push((step.name, verdict));
    }
    verdicts
}

/// On a terminal, says what is being waited for; the step's own line takes its place.
fn announce(name: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let _ = write!(terminal, "{name:<11} …\r"); // Nothing is lost when a terminal cannot show it.
    }
}

fn report(name: &str, outcome: &Outcome, took: Duration) {
    let seconds = took.as_secs_f64();
    match outcome {
        Outcome::Passed(note) | Outcome::InPart(note, _) => {
            println!("{name:<11} ok          {seconds:>6.1} s  {note}")
        }
        Outcome::NotChecked(why) => println!("{name:<11} NOT CHECKED {seconds:>6.1} s  {why}"),
        Outcome::Failed(output) => {
            println!("{name:<11} FAILED      {seconds:>6.1} s");
            println!("----- output of {name}\n{}\n----- end of {name}", output.trim_end());
        }
    }
}

fn summary(verdicts: &[(&'static str, Verdict)], took: Duration) -> ExitCode {
    let named = |wanted: fn(&Verdict) -> bool| -> Vec<&str> {
        verdicts.iter().filter(|(_, verdict)| wanted(verdict)).map(|(name, _)| *name).collect()
    };
    let passed = named(|verdict| matches!(verdict, Verdict::Passed | Verdict::InPart(_)));
    let failed = named(|verdict| *verdict == Verdict::Failed);
    let skipped = named(|verdict| matches!(verdict, Verdict::Skipped(_)));
    println!();
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::NotChecked(why) => println!("not checked: {name}: {why}"),
            Verdict::InPart(not_run) => not_run::told(not_run).iter().for_each(|line| println!("{line}")),
            _ => {}
        }
    }
    if !skipped.is_empty() {
        println!("skipped: {}", skipped.join(", "));
    }
    let seconds = took.as_secs_f64();
    if failed.is_empty() {
        let not_run: usize = verdicts.iter().map(|(_, verdict)| verdict.not_run()).sum();
        let but = if not_run > 0 { format!(", but {not_run} tests were NOT RUN") } else { String::new() };
        println!("all good: {} steps passed in {seconds:.1} s{but}", passed.len());
        return ExitCode::SUCCESS;
    }
    println!("failed: {} ({} passed, {seconds:.1} s)", failed.join(", "), passed.len());
    println!("one alone: cargo xtask test --only {}", failed[0]);
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, needs: Option<&'static str>) -> Step {
        Step { name, promise: "", needs, run: |_| Ok(Outcome::Passed(String::new())) }
    }

    #[test]
    fn a_failure_skips_what_needs_it_and_nothing_else() {
        let steps = [step("compile", None), step("tests", Some("compile")), step("fmt", None)];
        let verdicts = run_all(&steps, |step| match step.name {
            "compile" => Outcome::Failed(String::new()),
            _ => Outcome::Passed(String::new()),
        });
        let expected =
            [("compile", Verdict::Failed), ("tests", Verdict::Skipped("compile")), ("fmt", Verdict::Passed)];
        assert_eq!(verdicts, expected);
        assert_eq!(summary(&verdicts, Duration::ZERO), ExitCode::FAILURE);
    }

    #[test]
    fn what_could_not_be_looked_at_is_no_failure() {
        let verdicts = [("advisories", Verdict::NotChecked("no database".into()))];
        assert_eq!(summary(&verdicts, Duration::ZERO), ExitCode::SUCCESS);
    }

    #[test]
    fn an_unknown_step_is_named_with_those_there_are() {
        let error = choose(steps(), &["tset".into()]).err().unwrap().to_string();
        assert!(error.contains("`tset`") && error.contains("clippy"), "{error}");
    }

    #[test]
    fn what_compiles_looks_for_its_libraries_first() {
        let names = |only: &str| {
            choose(steps(), &[only.into()]).unwrap().iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(names("tests"), ["libraries", "tests"]);
        assert_eq!(names("clippy"), ["libraries", "clippy"]);
        assert_eq!(names("fmt"), ["fmt"]);
    }

    #[test]
    fn step_names_are_unique_and_needs_run_before() {
        let mut seen: Vec<&str> = Vec::new();
        for step in steps() {
            assert!(!seen.contains(&step.name), "{} twice", step.name);
            assert!(step.needs.is_none_or(|needed| seen.contains(&needed)), "{} comes too early", step.name);
            seen.push(step.name);
        }
    }
}
