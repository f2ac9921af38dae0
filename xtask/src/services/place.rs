//! Where services keep their files.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::account::Account;

/// Where cargo builds.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// A directory of its own for the service `name`, which `account` can reach: below `target`, or, when that lies where
/// others may not go, below the directory for temporary files. Not made yet.
pub(super) fn directory(target: &Path, name: &str, account: Option<&Account>) -> anyhow::Result<PathBuf> {
    let services = target.join("services");
    let Some(account) = account else { return Ok(services.join(name)) };
    fs::create_dir_all(&services).with_context(|| format!("cannot make {}", services.display()))?;
    if account.reaches(&services)? {
        return Ok(services.join(name));
    }
    let mut hash = DefaultHasher::new();
    target.hash(&mut hash);
    Ok(std::env::temp_dir().join(format!("annals-services-{:x}", hash.finish())).join(name))
}

/// Makes `directory`, empty, for nobody but `account`.
pub(super) fn make_private(directory: &Path, account: Option<&Account>) -> anyhow::Result<()> {
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
