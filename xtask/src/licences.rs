//! What our dependencies are, where they come from, and what their licences ask: `deny.toml`, checked.
//!
//! cargo-deny does all of it where it is installed. Without it, licences, bans and sources are checked from
//! `cargo metadata`; known vulnerabilities cannot be, and the step says so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use annals_services::installed;
use spdx::{Expression, Licensee, ParseMode};

use crate::deny_toml::{DenyToml, Level};
use crate::step::{self, Outcome, Step};
use crate::workspace::{Dependency, Package, Workspace};

pub(crate) const STEPS: [Step; 2] = [
    Step {
        name: "licences",
        promise: "every dependency is licensed, sourced and wanted as deny.toml says",
        needs: None,
        run: licences,
    },
    Step {
        name: "advisories",
        promise: "no dependency has a known vulnerability (needs cargo-deny and its database)",
        needs: None,
        run: advisories,
    },
];

/// What cargo calls the registry that is known without being listed.
const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

fn licences(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let rules = DenyToml::load(workspace)?;
    let mut complaints = licence_complaints(&workspace.packages, &rules)?;
    complaints.extend(source_complaints(&workspace.packages, &rules));
    let twice = duplicates(&workspace.packages);
    if rules.bans.multiple_versions == Level::Deny {
        complaints.extend(twice.iter().map(|name| format!("{name} is there in several versions")));
    }
    if !complaints.is_empty() {
        return Ok(Outcome::Failed(complaints.join("\n")));
    }
    let mut note = format!("{} packages", workspace.packages.len());
    if rules.bans.multiple_versions == Level::Warn && !twice.is_empty() {
        note.push_str(&format!("; in several versions: {}", twice.join(", ")));
    }
    if !installed("cargo-deny") {
        return Ok(Outcome::Passed(note));
    }
    let ran = step::run(deny(workspace, &["licenses", "bans", "sources"]), |_| ())?;
    note.push_str("; cargo-deny agrees");
    Ok(if ran.success { Outcome::Passed(note) } else { Outcome::Failed(ran.output) })
}

fn advisories(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if !installed("cargo-deny") {
        let next = "cargo install cargo-deny --locked && cargo deny fetch db";
        return Ok(Outcome::NotChecked(format!("known vulnerabilities need cargo-deny: {next}")));
    }
    if !advisories_are_here() {
        return Ok(Outcome::NotChecked(
            "the database of vulnerabilities is not here: cargo deny fetch db".into(),
        ));
    }
    step::all(vec![deny(workspace, &["advisories"])])
}

/// Offline: whether a commit passes must not hang on what was published since.
fn deny(workspace: &Workspace, what: &[&str]) -> std::process::Command {
    let mut command = workspace.cargo(&["deny", "--offline", "check"]);
    command.args(what);
    command
}

/// Whether there is a copy of the database where cargo-deny keeps it.
fn advisories_are_here() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let Some(home) = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))) else { return false };
    // A fetch that failed leaves an empty directory.
    let Ok(copies) = std::fs::read_dir(home.join("advisory-dbs")) else { return false };
    copies.flatten().any(|copy| copy.path().join(".git").exists())
}

/// Packages whose licence expression cannot be met with what is allowed. Fails when deny.toml names no licence.
fn licence_complaints(packages: &[Package], rules: &DenyToml) -> anyhow::Result<Vec<String>> {
    let allowed = licensees(&rules.licenses.allow)?;
    let mut complaints = Vec::new();
    for package in packages {
        let who = format!("{} {}", package.name, package.version);
        let Some(text) = package.license.clone().or_else(|| recognised(package)) else {
            complaints.push(format!("{who} states no licence"));
            continue;
        };
        let mut allowed = allowed.clone();
        for exception in rules.licenses.exceptions.iter().filter(|exception| exception.name == package.name) {
            allowed.extend(licensees(&exception.allow)?);
        }
        // Lax: old crates write MIT/Apache-2.0.
        match Expression::parse_mode(&text, ParseMode::LAX) {
            Err(error) => {
                complaints.push(format!("{who} has a licence nobody can read, {text:?}: {}", error.reason))
            }
            Ok(expression) => {
                if !expression.evaluate(|asked| allowed.iter().any(|licensee| licensee.satisfies(asked))) {
                    complaints.push(format!("{who} is {text}, which deny.toml does not allow"));
                }
            }
        }
    }
    Ok(complaints)
}

/// The licence whose text a package has in place of its name; cargo-deny knows more of them.
fn recognised(package: &Package) -> Option<String> {
    let path = package.manifest_path.parent()?.join(package.license_file.as_ref()?);
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let apache = lines.next()? == "Apache License" && lines.next()?.starts_with("Version 2.0");
    apache.then(|| "Apache-2.0".into())
}

fn licensees(names: &[String]) -> anyhow::Result<Vec<Licensee>> {
    let parse = |name: &String| {
        Licensee::parse(name).map_err(|error| anyhow::anyhow!("deny.toml allows {name:?}: {}", error.reason))
    };
    names.iter().map(parse).collect()
}

/// Packages that are banned, or come from where deny.toml does not look.
fn source_complaints(packages: &[Package], rules: &DenyToml) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in packages {
        let who = format!("{} {}", package.name, package.version);
        if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
            let uses = |user: &Package, optional| {
                let used = |it: &Dependency| it.name == ban.name && (optional || !it.optional);
                user.dependencies.iter().any(used)
            };
            let wraps = |user: &Package| ban.wrappers.contains(&user.name);
            let wrapped = packages.iter().any(|user| uses(user, true) && wraps(user));
            // What is optional may be there for somebody else's sake.
            if !wrapped || packages.iter().any(|user| uses(user, false) && !wraps(user)) {
                complaints.push(format!("{who} is banned: {}", ban.reason));
            }
        }
        let Some(source) = &package.source else { continue };
        let (level, known) = if let Some(git) = source.strip_prefix("git+") {
            let listed = rules.sources.allow_git.iter().any(|allowed| git.starts_with(allowed.as_str()));
            (rules.sources.unknown_git, listed)
        } else {
            let registry = source.trim_start_matches("registry+").trim_start_matches("sparse+");
            let listed = rules.sources.allow_registry.iter().any(|allowed| allowed == registry);
            let by_default = rules.sources.allow_registry.is_empty() && registry == CRATES_IO;
            (rules.sources.unknown_registry, listed || by_default)
        };
        if level == Level::Deny && !known {
            complaints.push(format!("{who} comes from {source}, which deny.toml does not know"));
        }
    }
    complaints
}

/// Names that are there in several versions.
fn duplicates(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
    for package in packages {
        *versions.entry(&package.name).or_default() += 1;
    }
    versions.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests;
