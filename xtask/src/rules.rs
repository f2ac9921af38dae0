//! House rules: what the compiler cannot see and a reader should not have to check.
//!
//! Each rule is a function from what there is to a list of complaints, so that its tests can show it something bad.

use crate::step::{Outcome, Step};
use crate::workspace::Workspace;

mod arrows;
mod file_length;
mod ignored;
mod machine_paths;

/// All rules, as steps.
pub(crate) const STEPS: [Step; 4] = [
    Step {
        name: "arrows",
        promise: "crates depend on each other only as ARCHITECTURE.md draws it",
        needs: None,
        run: |workspace| {
            let members: Vec<_> = workspace.members().cloned().collect();
            Ok(Outcome::of(arrows::complaints(&members), format!("{} crates", members.len())))
        },
    },
    Step {
        name: "paths",
        promise: "no file names a place that exists on one machine only",
        needs: None,
        run: |workspace| over_files(workspace, machine_paths::complaints),
    },
    Step {
        name: "lengths",
        promise: "no Rust file is longer than 400 lines without a reason",
        needs: None,
        run: |workspace| over_files(workspace, file_length::complaints),
    },
    Step {
        name: "ignored",
        promise: "no test or doc example is switched off without a reason",
        needs: None,
        run: |workspace| over_files(workspace, ignored::complaints),
    },
];

fn over_files(
    workspace: &Workspace,
    rule: fn(&[crate::workspace::SourceFile]) -> Vec<String>,
) -> anyhow::Result<Outcome> {
    let files = workspace.files()?;
    Ok(Outcome::of(rule(&files), format!("{} files", files.len())))
}

#[cfg(test)]
fn file(path: &str, text: &str) -> crate::workspace::SourceFile {
    crate::workspace::SourceFile { path: path.into(), text: text.into() }
}
