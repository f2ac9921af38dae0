//! No file names a directory that exists on its author's machine only.

use crate::workspace::SourceFile;

/// First directories of such paths. Apart from their slashes, so that this file passes its own rule.
const PRIVATE_ROOTS: [&str; 4] = ["work", "root", "home", "Users"];

/// `path:line` of every place that names one.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    let roots = PRIVATE_ROOTS.map(|root| format!("/{root}/"));
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(root) = roots.iter().find(|root| names(line, root)) {
                complaints.push(format!("{}:{number} names a path under {root}", file.path));
            }
        }
    }
    complaints
}

/// Whether `root` begins a path in `line`, rather than being in the middle of one (`src/work/a.rs`).
fn names(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}')))
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for root in PRIVATE_ROOTS {
            for line in
                [format!("/{root}/x"), format!("see file:///{root}/x"), format!("open(\"/{root}/x\")")]
            {
                let text = format!("first\n{line}\n");
                let found = complaints(&[file("notes.md", &text)]);
                assert!(matches!(&found[..], [one] if one.starts_with("notes.md:2 ")), "{line}: {found:?}");
            }
        }
    }

    #[test]
    fn paths_inside_the_repository_are_fine() {
        let text = format!("src/{0}/mod.rs, frame{0}/x, {0}/y, ./{0}/z", PRIVATE_ROOTS[0]);
        assert!(complaints(&[file("notes.md", &text)]).is_empty());
    }
}
