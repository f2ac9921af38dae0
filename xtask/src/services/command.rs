//! Running a helper program to its end.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// What `command` says on stdout; an error with what it says on stderr when it fails.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    if !done.status.success() {
        let said = [done.stderr, done.stdout].concat();
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&said).trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Whether `command` ends with success; its output is dropped.
pub(super) fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status().with_context(|| format!("cannot run {command:?}"))?.success())
}
