//! Records at the ends of topics that are no events.

use super::{ConsumeError, Consumer};
use crate::{Incoming, KafkaFailed, KafkaOptions, RecordError, blocking::blocking, last::last_in};
use rdkafka::{consumer::Consumer as _, message::BorrowedMessage};
use std::collections::BTreeMap;

const ASKING: &str = "asking what topics end with";

impl Consumer {
    /// Why the last committed record is no event, of each partition of its topics that ends with such a one. [`ends`]
    /// does not count it, and unless [foreign](super::Foreign) records are passed over, the partition stands still there.
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    ///
    /// [`ends`]: Self::ends
    pub async fn foreign_ends(&self) -> Result<Vec<RecordError>, ConsumeError> {
        let (topics, options) = (self.look_at_topics().await?, self.options.clone());
        Ok(blocking(&self.options, ASKING, move || foreign_ends(&options, topics)).await?)
    }
}

fn foreign_ends(
    options: &KafkaOptions,
    topics: BTreeMap<String, u32>,
) -> Result<Vec<RecordError>, KafkaFailed> {
    let reader = options.reader()?;
    let mut found = vec![];
    for (topic, partitions) in topics {
        for number in 0..partitions as i32 {
            let read = |record: &BorrowedMessage<'_>| Some(Incoming::read(record).err());
            let last = last_in(&reader, &topic, number, read);
            let last = last.map_err(|error| options.failed_as(reader.context(), ASKING, error))?;
            found.extend(last.flatten());
        }
    }
    Ok(found)
}
