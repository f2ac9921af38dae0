//! The process of a broker: found by what is written in its directory, and known by its command line.

use anyhow::{Context, bail, ensure};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Where its number is written down.
const FILE: &str = "pid";

/// Waits until its input ends, which it does with the process that holds the other end. Then it kills what it was told
/// to watch, if that is still the same program.
const WATCH: &str = r#"read -r _; tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2" && kill -KILL "$1""#;

/// A process that ran when it was looked at. A number that is used again is not mistaken for it.
#[derive(Debug)]
pub(super) struct Process {
    number: u32,
    handle: OwnedFd,
}

impl Process {
    /// Runs `command` until it is told to stop, whatever becomes of us, and writes its number down in `directory`. It
    /// is known by `mark`, which must be one of its arguments.
    pub(super) fn spawn(mut command: Command, directory: &Path, mark: &str) -> anyhow::Result<Self> {
        // Not with those to whom a terminal sends its interrupts.
        command.stdin(Stdio::null()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
        let number = child.id();
        let handle = open(number)?.with_context(|| format!("{command:?} ended at once"))?;
        // Nobody else would, and an ended process that nobody waited for still looks like one.
        std::thread::spawn(move || child.wait());
        fs::write(directory.join(FILE), format!("{number} {mark}\n"))
            .context("cannot write down its number")?;
        Ok(Self { number, handle })
    }

    /// The one that was written down in `directory`, if it runs.
    pub(super) fn find(directory: &Path) -> anyhow::Result<Option<Self>> {
        let Ok(written) = fs::read_to_string(directory.join(FILE)) else { return Ok(None) };
        let parts =
            written.trim_end().split_once(' ').and_then(|(number, mark)| Some((number.parse().ok()?, mark)));
        let Some((number, mark)) = parts else { bail!("cannot read {written:?}, the number of a process") };
        let Some(handle) = open(number)? else { return Ok(None) };
        // Looked at after it was opened: so it is what the handle belongs to.
        let arguments = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let is_it = arguments.split(|byte| *byte == 0).any(|argument| argument == mark.as_bytes());
        Ok(is_it.then_some(Self { number, handle }))
    }

    /// Sends `signal`; nothing happens when it has ended.
    pub(super) fn send(&self, signal: Signal) -> anyhow::Result<()> {
        match pidfd_send_signal(&self.handle, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot signal process {}", self.number)),
        }
    }

    /// Whether it has ended, or ends within this time.
    pub(super) fn ends_within(&self, time: Duration) -> anyhow::Result<bool> {
        let until = Instant::now() + time;
        loop {
            let left = Timespec::try_from(until.saturating_duration_since(Instant::now()))?;
            match poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for a process"),
            }
        }
    }

    /// Sees to it that it ends with us, even if we are killed.
    pub(super) fn watch(&self, mark: &str) -> anyhow::Result<Watch> {
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "watch", &self.number.to_string(), mark]).process_group(0);
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Watch(watch.spawn().context("cannot run sh, which is to end a broker with its owner")?))
    }
}

/// Somebody who ends a process when this is dropped, or when we end without dropping anything.
#[derive(Debug)]
pub(super) struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself; waiting leaves no trace of it among the processes.
        let _ = self.0.wait();
    }
}

/// A handle of process `number`; `None` when there is no such process.
fn open(number: u32) -> anyhow::Result<Option<OwnedFd>> {
    let number = i32::try_from(number).ok().and_then(Pid::from_raw);
    let number = number.context("that is no number of a process")?;
    match pidfd_open(number, PidfdFlags::empty()) {
        Ok(handle) => Ok(Some(handle)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error).context("cannot look at a process"),
    }
}

/// Fails unless nothing runs for `directory`.
pub(super) fn ensure_none(directory: &Path) -> anyhow::Result<()> {
    ensure!(Process::find(directory)?.is_none(), "a broker runs already in {}", directory.display());
    Ok(())
}
