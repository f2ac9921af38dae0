//! Comparing two generations.

use super::generation::Generation;
use crate::{COMPARISON_EXAMPLES_MAX, Comparison};
use std::collections::BTreeSet;

/// How the documents of two generations that stand at one position differ, by JSON value.
pub(super) fn compare(old: &Generation, new: &Generation) -> Comparison {
    let mut found = Comparison { position: old.checkpoint, ..Comparison::default() };
    let keys: BTreeSet<_> = old.documents.keys().chain(new.documents.keys()).collect();
    for key in keys {
        found.documents += 1;
        match (old.documents.get(key), new.documents.get(key)) {
            (Some(was), Some(is)) if was.same_value(is) => continue,
            (Some(_), Some(_)) => found.changed += 1,
            (Some(_), None) => found.missing += 1,
            (None, _) => found.extra += 1,
        }
        if found.examples.len() < COMPARISON_EXAMPLES_MAX {
            found.examples.push(key.to_string());
        }
    }
    found
}
