//! Whose rights a service runs with: PostgreSQL refuses to run as root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{output, succeeds};

/// Accounts without rights, the first that exists is taken.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An unprivileged account.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    /// The account to run services with; `None` when that is our own.
    ///
    /// # Errors
    /// When this process is root and there is no other account.
    pub fn needed() -> anyhow::Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        for name in CANDIDATES {
            let mut ask = Command::new("getent");
            ask.args(["passwd", name]);
            if let Ok(line) = output(&mut ask) {
                return Self::of(&line).map(Some);
            }
        }
        bail!("root may not run PostgreSQL, and there is neither an account `postgres` nor `nobody`: add one")
    }

    /// From a line of passwd.
    fn of(line: &str) -> anyhow::Result<Self> {
        let fields: Vec<&str> = line.trim().split(':').collect();
        let number = |at: usize| -> anyhow::Result<u32> {
            let text = fields.get(at).with_context(|| format!("cannot read the account {line:?}"))?;
            text.parse().with_context(|| format!("cannot read the account {line:?}"))
        };
        Ok(Self { user: number(2)?, group: number(3)? })
    }

    /// Whether it can go into `directory`.
    pub(crate) fn reaches(&self, directory: &Path) -> anyhow::Result<bool> {
        let mut test = command(Some(self), Path::new("test"));
        test.arg("-x").arg(directory);
        succeeds(&mut test)
    }
}

/// `program` with the rights of `account`, in a directory that everybody may be in.
pub(crate) fn command(account: Option<&Account>, program: &Path) -> Command {
    let mut command = match account {
        None => Command::new(program),
        Some(Account { user, group }) => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()]);
            command.arg(program);
            command
        }
    };
    command.current_dir("/");
    command
}

/// Whether this process has the rights of root.
pub(crate) fn is_root() -> anyhow::Result<bool> {
    Ok(std::fs::metadata("/proc/self").context("cannot see who we are")?.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_its_line() {
        let account =
            Account::of("postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n").unwrap();
        assert_eq!(account, Account { user: 101, group: 104 });
        assert!(Account::of("postgres:x:many:104").unwrap_err().to_string().contains("postgres"));
    }
}
