//! A file holds one idea; one that is longer than this holds two.

use crate::workspace::SourceFile;

/// The longest a Rust file may be. Around 100 is usual.
const LINES_MAX: usize = 400;

/// Files that may be longer, each with the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Files that are too long, and exceptions that nobody needs any more.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    complaints_but(files, ALLOWED)
}

fn complaints_but(files: &[SourceFile], allowed: &[(&str, &str)]) -> Vec<String> {
    let is_long = |file: &&SourceFile| file.path.ends_with(".rs") && file.text.lines().count() > LINES_MAX;
    let too_long =
        files.iter().filter(is_long).filter(|file| allowed.iter().all(|(path, _)| *path != file.path)).map(
            |file| {
                let lines = file.text.lines().count();
                format!("{} has {lines} lines, more than {LINES_MAX}: split it by idea", file.path)
            },
        );
    let not_needed = allowed
        .iter()
        .filter(|(path, _)| files.iter().filter(is_long).all(|file| file.path != *path))
        .map(|(path, _)| format!("{path} is excepted from the line limit and need not be"));
    too_long.chain(not_needed).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn the_limit_is_exact() {
        let at = file("at.rs", &"x\n".repeat(LINES_MAX));
        let over = file("over.rs", &"x\n".repeat(LINES_MAX + 1));
        let data = file("data.csv", &"x\n".repeat(LINES_MAX + 1));
        let found = complaints_but(&[at, over, data], &[]);
        assert!(matches!(&found[..], [one] if one.starts_with("over.rs has 401 lines")), "{found:?}");
    }

    #[test]
    fn an_exception_holds_while_it_is_needed() {
        let allowed = [("over.rs", "one table")];
        let long = [file("over.rs", &"x\n".repeat(LINES_MAX + 1))];
        assert!(complaints_but(&long, &allowed).is_empty());
        let short = [file("over.rs", "x\n")];
        assert_eq!(complaints_but(&short, &allowed).len(), 1);
        assert_eq!(complaints_but(&[], &allowed).len(), 1);
    }
}
