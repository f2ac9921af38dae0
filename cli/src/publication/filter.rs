//! Which events are published.

use annals::{LogFilter, Source};

/// The events of any of `categories` that are of any of `types`; where there is none of either, of all of them.
pub(super) fn filter(categories: &[String], types: &[String]) -> LogFilter {
    let source = |category: Option<&String>| {
        let mut source = Source::all();
        source.category = category.cloned().map(Into::into);
        source.types = (!types.is_empty()).then(|| types.iter().cloned().map(Into::into).collect());
        source
    };
    match (categories, types) {
        ([], []) => LogFilter::all(),
        ([], _) => LogFilter::any_of([source(None)]),
        (categories, _) => LogFilter::any_of(categories.iter().map(|category| source(Some(category)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_and_types_narrow_each_other() {
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_string()).collect::<Vec<_>>();
        let sources = |categories: &[&str], types: &[&str]| {
            filter(&strings(categories), &strings(types)).sources().map(<[Source]>::to_vec)
        };
        assert_eq!(sources(&[], &[]), None);
        let both = sources(&["order", "stock"], &["Placed"]).unwrap();
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|source| source.types.as_ref().unwrap()[0] == "Placed"));
        assert_eq!(sources(&[], &["Placed"]).unwrap()[0].category, None);
    }
}
