//! What is remarked on where a read model seems to be filled from elsewhere.

use annals::Position;
use annals_kafka::TopicConsumed;

/// What is to be looked at where it seems that the read model `name` was filled before with something else: `by_others`, up
/// to there, or with all that `counts` have met.
pub(super) fn remark<'a>(
    name: &str,
    group: &str,
    by_others: Option<Position>,
    counts: impl Iterator<Item = &'a TopicConsumed>,
) -> Option<String> {
    let (handled, repeated) = counts.fold((0, 0), |(handled, repeated), topic| {
        (handled + topic.handled + topic.skipped, repeated + topic.repeated)
    });
    let seen = match by_others {
        Some(up_to) => format!(
            "it was filled up to position {up_to} before, and group {group} has read none of its topics"
        ),
        None if handled == 0 && repeated > 0 => format!("all {repeated} records were there before"),
        None => return None,
    };
    Some(format!(
        "{name}: {seen}; if that was from another log, or from a cluster that was made anew, fill it in another place: \
         --read-models URL, with another --group"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(handled: u64, skipped: u64, repeated: u64) -> TopicConsumed {
        let mut counted = TopicConsumed::default();
        (counted.handled, counted.skipped, counted.repeated) = (handled, skipped, repeated);
        counted
    }

    /// How it was broken: with repeats alone taken for nothing to tell, nothing is told.
    #[test]
    fn what_was_filled_before_by_others_or_held_only_repeats_is_remarked_on() {
        let remarked = |by_others, counts: &[TopicConsumed]| remark("orders", "g", by_others, counts.iter());
        let told = remarked(None, &[counted(0, 0, 3), counted(0, 0, 4)]).unwrap();
        assert!(
            told.contains("orders: all 7 records were there before; if that was from another log"),
            "{told}"
        );
        let told = remarked(Some(Position::new(9)), &[counted(2, 0, 0)]).unwrap();
        assert!(told.contains("up to position 9 before, and group g has read none"), "{told}");
        // Controls: something was new, or there was nothing.
        for counts in [counted(1, 0, 3), counted(0, 1, 3), counted(0, 0, 0)] {
            assert_eq!(remarked(None, &[counts]), None, "{counts:?}");
        }
    }
}
