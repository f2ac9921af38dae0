//! Retry topics: what a handler refuses comes again, later and later, and nothing waits for it.
//!
//! # Why nothing is lost and nothing counts twice
//! A topic cannot be written in one transaction with a sink. So what the sink says counts, and a record in a retry
//! topic merely says: look there again.
//!
//! 1. A part that refuses an event copies its record to the first retry topic, and waits until it has arrived. Then it
//!    parks the event under its key, alone, in one transaction with the rest of the page and its checkpoint.
//! 2. A retry topic's partition is a part too: its checkpoint, an offset, is written in one transaction with what a copy
//!    makes. When the copy is due, its event counts under those keys where it is *still parked*, and is settled there
//!    in that transaction; refused again, it is copied to the next retry topic first, behind the last one to the
//!    dead letters, and stays parked.
//! 3. A copy whose sender has not written its page yet says nothing, for the event may still be parked, or may count
//!    after all. Each copy names its sender, and where that stands once it has decided; until then the copy waits.
//!
//! A crash between copying and writing leaves one copy more: it finds its event settled, or tries it once more. A
//! sender that was paused and replaced leaves one too; its transaction is refused. What somebody settles by hand
//! meanwhile is passed over when its copy comes. And what a retry topic loses stays parked, where everybody sees it.

mod again;
mod copy;
mod letters;

pub(super) use again::Again;
pub(super) use letters::RetryLetters;

use std::time::Duration;

/// How many retry topics a topic may have.
pub const RETRY_TOPICS_MAX: usize = 10;

/// How long a record may wait in one of them: well below the week for which brokers keep records unless told otherwise.
pub const RETRY_DELAY_MAX: Duration = Duration::from_hours(24);

/// How many retry topics there are, `<topic>.retry.1` and so on, and how long a record waits in each.
///
/// **Gives the order under a key up**: what a projection refuses comes again after later events of its key. How long it
/// waits goes by the clocks of the machines.
///
/// ```
/// use annals_kafka::{ConsumerTerms, Retries};
/// use std::time::Duration;
///
/// let waits = [10, 60, 600].map(Duration::from_secs);
/// let terms = ConsumerTerms { retries: Some(Retries::after(waits)?), ..ConsumerTerms::default() };
/// # Ok::<(), annals_kafka::RetriesError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    delays: Vec<Duration>,
}

/// Why these are no delays of retry topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetriesError {
    /// There must be one at least, and [`RETRY_TOPICS_MAX`] at most.
    #[error("{0} retry topics: give at least one delay, and at most {RETRY_TOPICS_MAX}")]
    Count(usize),
    /// A record would wait longer than [`RETRY_DELAY_MAX`].
    #[error("a delay of {0:?} is too long: give at most {RETRY_DELAY_MAX:?}")]
    TooLong(Duration),
    /// Each delay must be longer than the one before it.
    #[error("a delay of {1:?} behind one of {0:?}: let each be longer than the one before it")]
    NotGrowing(Duration, Duration),
}

impl Retries {
    /// A retry topic for each of `delays`, which grow.
    ///
    /// # Errors
    /// When there are none or too many, one is too long, or they do not grow.
    pub fn after(delays: impl IntoIterator<Item = Duration>) -> Result<Self, RetriesError> {
        let delays: Vec<Duration> = delays.into_iter().take(RETRY_TOPICS_MAX + 1).collect();
        if delays.is_empty() || delays.len() > RETRY_TOPICS_MAX {
            return Err(RetriesError::Count(delays.len()));
        }
        if let Some(long) = delays.iter().find(|delay| **delay > RETRY_DELAY_MAX) {
            return Err(RetriesError::TooLong(*long));
        }
        match delays.windows(2).find(|two| two[0] >= two[1]) {
            Some(two) => Err(RetriesError::NotGrowing(two[0], two[1])),
            None => Ok(Self { delays }),
        }
    }

    /// What the retry topic of `topic` with this number is called; the first is 1.
    pub fn topic(topic: &str, number: usize) -> String {
        format!("{topic}.retry.{number}")
    }

    /// All retry topics of `topic`, each with its number.
    pub(super) fn topics(&self, topic: &str) -> impl Iterator<Item = (usize, String)> {
        (1..=self.delays.len()).map(move |number| (number, Self::topic(topic, number)))
    }

    /// How long a record waits in the retry topic with this number; none where there is no such topic.
    fn delay(&self, number: usize) -> Option<Duration> {
        self.delays.get(number.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_within_their_limits() {
        let after = |seconds: &[u64]| Retries::after(seconds.iter().copied().map(Duration::from_secs));
        let most: Vec<u64> = (1..=RETRY_TOPICS_MAX as u64).collect();
        assert_eq!(after(&most).unwrap().topics("order").last().unwrap(), (10, "order.retry.10".into()));
        assert_eq!(after(&[]), Err(RetriesError::Count(0)));
        assert_eq!(after(&[&most[..], &[11]].concat()), Err(RetriesError::Count(11)));
        let longest = RETRY_DELAY_MAX.as_secs();
        let most = after(&[1, longest]).unwrap();
        assert_eq!(
            [0, 1, 2, 3].map(|number| most.delay(number).map(|delay| delay.as_secs())),
            [None, Some(1), Some(longest), None]
        );
        let over = Duration::from_secs(longest + 1);
        assert_eq!(after(&[longest + 1]), Err(RetriesError::TooLong(over)));
        let one = Duration::from_secs(1);
        assert_eq!(after(&[1, 1]), Err(RetriesError::NotGrowing(one, one)));
    }
}
