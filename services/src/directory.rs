//! Where services keep their files.

use crate::Account;
use anyhow::Context;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A directory for services that `account` can reach: `wanted`, or, when that lies where others may not go, one below
/// the directory for temporary files. Only made if it is `wanted`.
///
/// # Errors
/// When it cannot be made, or nobody can tell who may go where.
pub fn reachable_directory(wanted: &Path, account: Option<&Account>) -> anyhow::Result<PathBuf> {
    let Some(account) = account else { return Ok(wanted.into()) };
    fs::create_dir_all(wanted).with_context(|| format!("cannot make {}", wanted.display()))?;
    if account.reaches(wanted)? {
        return Ok(wanted.into());
    }
    let mut hash = DefaultHasher::new();
    wanted.hash(&mut hash);
    Ok(std::env::temp_dir().join(format!("annals-services-{:x}", hash.finish())))
}

/// Makes `directory`, empty, for nobody but `account`.
///
/// # Errors
/// When it cannot be made or given away.
pub fn make_private(directory: &Path, account: Option<&Account>) -> anyhow::Result<()> {
    let failed = || format!("cannot make {}", directory.display());
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(failed)?;
    }
    fs::create_dir_all(directory).with_context(failed)?;
    if let Some(account) = account {
        std::os::unix::fs::chown(directory, Some(account.user), Some(account.group)).with_context(failed)?;
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).with_context(failed)
}
