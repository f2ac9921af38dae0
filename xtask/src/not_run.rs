//! Tests that were not run, told once more at the end: by what they lack, for one missing server may stop hundreds.

use std::collections::BTreeMap;

/// How many tests are named for each reason.
const NAMED_MAX: usize = 5;

/// Lines that tell of `not_run`, each of which is `WHAT: WHY`.
pub(crate) fn told(not_run: &[String]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in not_run {
        let (what, why) = one.split_once(": ").unwrap_or((one, "no reason was given"));
        by_reason.entry(why).or_default().push(what);
    }
    let told = |(why, what): (&str, Vec<&str>)| {
        let named = what.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = what.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("NOT RUN, {} tests: {why}: {named}{more}", what.len())
    };
    by_reason.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_what_they_lack() {
        let not_run = ["a: no server: none", "b: no disk", "c: no server: none", "d"].map(String::from);
        assert_eq!(
            told(&not_run),
            [
                "NOT RUN, 1 tests: no disk: b",
                "NOT RUN, 1 tests: no reason was given: d",
                "NOT RUN, 2 tests: no server: none: a, c",
            ]
        );
        assert_eq!(told(&[]), [""; 0]);
    }

    #[test]
    fn of_many_a_few_are_named() {
        let not_run: Vec<_> = (0..=NAMED_MAX).map(|number| format!("{number}: no server")).collect();
        assert_eq!(told(&not_run), ["NOT RUN, 6 tests: no server: 0, 1, 2, 3, 4 and 1 more"]);
    }
}
