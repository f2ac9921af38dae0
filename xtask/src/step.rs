//! One step of `cargo xtask test`: what it is called, what it needs, and how it may end.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::workspace::Workspace;

/// A command that takes longer is stopped and counts as failed.
pub(crate) const COMMAND_TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// How often a silent command is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A named check.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What holds when it passes, for `--list`.
    pub(crate) promise: &'static str,
    /// The step without which this one makes no sense: it is skipped when that one failed.
    pub(crate) needs: Option<&'static str>,
    pub(crate) run: fn(&Workspace) -> anyhow::Result<Outcome>,
}

/// How a step ended.
pub(crate) enum Outcome {
    /// With a short note for its line; may be empty.
    Passed(String),
    /// With such a note; but these tests were not run, each told as `WHAT: WHY`.
    InPart(String, Vec<String>),
    /// With everything that a reader needs to see why.
    Failed(String),
    /// It could not look, and says why. Never a failure, never silent.
    NotChecked(String),
}

impl Outcome {
    /// Failed if there is any complaint, one a line.
    pub(crate) fn of(complaints: Vec<String>, note: impl Into<String>) -> Self {
        if complaints.is_empty() { Self::Passed(note.into()) } else { Self::Failed(complaints.join("\n")) }
    }
}

/// Runs the commands in turn and stops at the first that fails.
pub(crate) fn all(commands: Vec<Command>) -> anyhow::Result<Outcome> {
    for command in commands {
        let ran = run(command, |_| ())?;
        if !ran.success {
            return Ok(Outcome::Failed(ran.output));
        }
    }
    Ok(Outcome::Passed(String::new()))
}

/// What a finished command left.
pub(crate) struct Ran {
    pub(crate) success: bool,
    /// None where it was stopped, or killed.
    pub(crate) code: Option<i32>,
    /// stdout and stderr in the order in which they were written.
    pub(crate) output: String,
}

/// Runs `command` without input, shows each line of output to `seen` as it comes, and keeps it all.
///
/// Ends with the command even if a process that it left behind still holds the output open.
pub(crate) fn run(mut command: Command, mut seen: impl FnMut(&str)) -> anyhow::Result<Ran> {
    let shown = format!("{command:?}");
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {shown}"))?;
    // The command holds our ends of the pipe: while it lives, the reader sees no end.
    drop(command);

    let (lines, arriving) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { return };
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });

    let started = Instant::now();
    let mut output = String::new();
    let status: Option<ExitStatus> = loop {
        match arriving.recv_timeout(LOOK) {
            Ok(line) => {
                seen(&line);
                output.push_str(&line);
                output.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => break Some(child.wait()?),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait()? {
                    break Some(status);
                }
            }
        }
        if started.elapsed() > COMMAND_TIME_MAX {
            child.kill()?;
            child.wait()?;
            break None;
        }
    };
    if status.is_none() {
        output.push_str(&format!("stopped after {} s: {shown}\n", COMMAND_TIME_MAX.as_secs()));
    }
    let (success, code) = (status.is_some_and(|status| status.success()), status.and_then(|it| it.code()));
    Ok(Ran { success, code, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_are_kept_in_order() {
        let mut lines = 0;
        let ran = run(shell("echo one; echo two >&2; echo three"), |_| lines += 1).unwrap();
        assert!(ran.success);
        assert_eq!(ran.output, "one\ntwo\nthree\n");
        assert_eq!(lines, 3);
    }

    #[test]
    fn a_failing_command_fails_the_step_with_its_whole_output() {
        let outcome = all(vec![shell("echo why; exit 3"), shell("echo never")]).unwrap();
        assert!(matches!(outcome, Outcome::Failed(output) if output == "why\n"));
    }

    // Without the look at the child in `run` this waits a minute for the process left behind.
    #[test]
    fn a_process_left_behind_does_not_hold_the_step_up() {
        let started = Instant::now();
        assert!(run(shell("sleep 60 & echo $!"), |_| ()).unwrap().success);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
