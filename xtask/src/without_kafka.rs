//! A program that was built without the driver of Kafka. No test of a crate is: their tests are built with all
//! features.

use crate::step::{self, Outcome, Step};
use crate::workspace::Workspace;

pub(crate) const STEP: Step = Step {
    name: "no-kafka",
    promise: "a program without the driver of Kafka builds, and says what it lacks",
    needs: None,
    run,
};

/// Each wants the driver; none comes so far as to look for a log or a broker.
const COMMANDS: [&str; 7] = [
    "consume --from kafka://127.0.0.1:1 --group reporting",
    "publish --to kafka://127.0.0.1:1",
    "lag --kafka kafka://127.0.0.1:1",
    "lag --kafka kafka://127.0.0.1:1 --group orders",
    "dead-letters list --kafka kafka://127.0.0.1:1",
    "dead-letters show orders 7 --kafka kafka://127.0.0.1:1",
    "dead-letters replay --all",
];

/// The exit code of wrong usage.
const USAGE: i32 = 2;

/// What a person does about it.
const NEXT: &str = "build it with --features kafka";

fn run(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let mut complaints = vec![];
    for line in COMMANDS {
        let mut command = workspace.cargo(&["run", "--quiet", "--package", "annals-cli", "--locked", "--"]);
        command.args(line.split(' '));
        let ran = step::run(command, |_| ())?;
        complaints.extend(complaint(line, ran.code, &ran.output));
    }
    Ok(Outcome::of(complaints, format!("{} commands", COMMANDS.len())))
}

fn complaint(line: &str, code: Option<i32>, output: &str) -> Option<String> {
    let says = code == Some(USAGE) && output.contains("built without Kafka") && output.contains(NEXT);
    (!says).then(|| format!("`annals {line}` ended with {code:?}, not with {USAGE} and {NEXT:?}:\n{output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_say_what_it_lacks_is_complained_of() {
        let said =
            "error: publish: this program was built without Kafka\nnext: build it with --features kafka\n";
        assert_eq!(complaint("publish", Some(2), said), None);
        assert!(complaint("publish", Some(1), said).is_some());
        assert!(complaint("publish", Some(2), "error: unrecognized subcommand").is_some());
    }
}
