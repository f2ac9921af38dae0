//! Running a helper program to its end.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// What `command` says on stdout; an error with what it says on stderr when it fails.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    if !done.status.success() {
        let said = [done.stderr, done.stdout].concat();
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&said).trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Whether `command` ends with success; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status().with_context(|| format!("cannot run {command:?}"))?.success())
}

/// Whether a program of this name is on the path.
pub fn installed(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file()) || Path::new(program).is_file()
}
