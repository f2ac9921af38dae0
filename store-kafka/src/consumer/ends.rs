//! Where the topics of a consumer end.

use super::{ConsumeError, Consumer};
use crate::{Incoming, KafkaFailed, KafkaOptions, blocking::blocking, last::greatest_in};
use annals::Position;
use rdkafka::{consumer::Consumer as _, message::BorrowedMessage};
use std::collections::BTreeMap;

const ASKING: &str = "asking where topics end";

/// The greatest position at the end of each partition, by its topic and number.
type Ends = BTreeMap<(String, i32), Position>;

impl Consumer {
    /// The greatest position of the last committed events of each partition of its topics, as it is now; partitions
    /// without one are left out. That is the position of the last one, unless it is a repeat, or another publisher's: as
    /// many are looked at as a publisher may repeat, [`REPEATED_RECORDS_MAX`](crate::REPEATED_RECORDS_MAX). The
    /// [part](Self::part) of a partition whose checkpoint is there has handled all of it, whoever ran it.
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    pub async fn ends(&self) -> Result<BTreeMap<(String, i32), Position>, ConsumeError> {
        let (topics, options) = (self.look_at_topics().await?, self.options.clone());
        Ok(blocking(&self.options, ASKING, move || ends(&options, topics)).await?)
    }
}

fn ends(options: &KafkaOptions, topics: BTreeMap<String, u32>) -> Result<Ends, KafkaFailed> {
    let reader = options.reader()?;
    let mut ends = BTreeMap::new();
    for (topic, partitions) in topics {
        for number in 0..partitions as i32 {
            let position = |record: &BorrowedMessage<'_>| Some(Incoming::read(record).ok()?.event.position);
            let last = greatest_in(&reader, &topic, number, position);
            let last = last.map_err(|error| options.failed_as(reader.context(), ASKING, error))?;
            ends.extend(last.map(|position| ((topic.clone(), number), position)));
        }
    }
    Ok(ends)
}
