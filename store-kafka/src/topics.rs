//! Which topic the events of a category go to.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// The longest name of a topic, in bytes: Kafka's own limit.
pub const TOPIC_BYTES_MAX: usize = 249;

/// Which topic the events of each category go to: one topic for each, called by a prefix and the category, unless it is
/// named otherwise.
///
/// ```
/// use annals_kafka::TopicNames;
/// let topics = TopicNames::prefixed("shop.")?.named("order", "sales")?;
/// assert_eq!(&*topics.of("stock"), "shop.stock");
/// assert_eq!(&*topics.of("order"), "sales");
/// # Ok::<(), annals_kafka::TopicNameError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TopicNames {
    prefix: String,
    named: BTreeMap<String, Arc<str>>,
}

/// A text that Kafka takes for no name of a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no topic: letters, digits, '.', '_' and '-', at most 249, and neither '.' nor '..'")]
pub struct TopicNameError(pub String);

impl TopicNames {
    /// Topics called `prefix` and the category.
    ///
    /// # Errors
    /// When no topic can be called so.
    pub fn prefixed(prefix: &str) -> Result<Self, TopicNameError> {
        if !prefix.is_empty() {
            check(prefix, annals::NAME_BYTES_MAX)?;
        }
        Ok(Self { prefix: prefix.into(), named: BTreeMap::new() })
    }

    /// The events of `category` go to `topic`. Several categories may share one.
    ///
    /// # Errors
    /// When no topic can be called so.
    pub fn named(mut self, category: &str, topic: &str) -> Result<Self, TopicNameError> {
        check(topic, 0)?;
        self.named.insert(category.into(), topic.into());
        Ok(self)
    }

    /// The topic of `category`.
    pub fn of(&self, category: &str) -> Arc<str> {
        match self.named.get(category) {
            Some(topic) => topic.clone(),
            None => format!("{}{category}", self.prefix).into(),
        }
    }
}

/// Checks that a topic may be called `name`, with `more` bytes behind it.
fn check(name: &str, more: usize) -> Result<(), TopicNameError> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    let fits = !name.is_empty() && name.len() + more <= TOPIC_BYTES_MAX && name.bytes().all(plain);
    match fits && (more > 0 || (name != "." && name != "..")) {
        true => Ok(()),
        false => Err(TopicNameError(name.chars().take(TOPIC_BYTES_MAX).collect())),
    }
}

impl fmt::Display for TopicNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*", self.prefix)?;
        self.named.iter().try_for_each(|(category, topic)| write!(f, ", {category} to {topic}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kafka_refuses_are_refused() {
        for name in ["", "a b", "a/b", ".", "..", "ümlaut", &"x".repeat(250)] {
            assert!(TopicNames::default().named("order", name).is_err(), "{name}");
        }
        assert!(TopicNames::default().named("order", &"x".repeat(249)).is_ok());
        assert!(TopicNames::prefixed("shop.").is_ok() && TopicNames::prefixed("").is_ok());
        assert!(TopicNames::prefixed(&"x".repeat(249 - 64)).is_ok(), "with the longest category");
        assert!(TopicNames::prefixed(&"x".repeat(249 - 63)).is_err());
    }
}
