//! A test that is switched off says why, and every doc example at least compiles.

use crate::workspace::SourceFile;

/// `path:line` of tests and examples that are ignored without a reason.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim_start();
            if is_ignored_test(line) {
                complaints.push(format!("{}:{number} ignores a test; write #[ignore = \"why\"]", file.path));
            }
            if is_ignored_example(line) {
                complaints.push(format!("{}:{number} ignores an example; use no_run or text", file.path));
            }
        }
    }
    complaints
}

fn is_ignored_test(line: &str) -> bool {
    let Some(attribute) = line.strip_prefix("#[") else { return false };
    let conditional = attribute.starts_with("cfg_attr(") && attribute.contains(", ignore)");
    attribute.starts_with("ignore]") || attribute.starts_with("ignore = \"\"") || conditional
}

fn is_ignored_example(line: &str) -> bool {
    let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    let fence = comment.and_then(|comment| comment.trim_start().strip_prefix("```"));
    fence.is_some_and(|info| info.split(',').any(|word| word.trim() == "ignore"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn what_is_switched_off_silently_is_found() {
        for line in [
            "    #[ignore]",
            "#[ignore = \"\"]",
            "#[cfg_attr(windows, ignore)]",
            "/// ```ignore",
            "//! ```rust,ignore",
        ] {
            let found = complaints(&[file("a.rs", &format!("fn f() {{}}\n{line}\n"))]);
            assert!(matches!(&found[..], [one] if one.starts_with("a.rs:2 ")), "{line}: {found:?}");
        }
    }

    #[test]
    fn a_reason_suffices() {
        let text =
            "#[ignore = \"takes an hour\"]\n/// ```no_run\n/// ```text\n// ignore\nlet x = \"#[ignore]\";\n";
        assert!(complaints(&[file("a.rs", text)]).is_empty());
    }
}
