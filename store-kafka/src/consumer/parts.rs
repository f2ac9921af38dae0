//! Which work each partition of a consumer gets.

use super::{
    Consumed, ConsumerTerms, Handler, Retries,
    back::Back,
    consumed::{Noted, Parking},
    held::Held,
    member::Member,
    partition::Partition,
    retry::{Again, RetryLetters},
    task::PartTask,
};
use crate::{DeadLetters, KafkaOptions, dead_letters::PartLetters};
use annals::{ParkedEvents, PartMode};
use rdkafka::consumer::BaseConsumer;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Makes the tasks of a consumer's partitions.
pub(super) struct Parts {
    options: KafkaOptions,
    handler: Handler,
    terms: ConsumerTerms,
    consumed: Consumed,
    letters: Arc<DeadLetters>,
    /// Which topics are retry topics, and their numbers.
    numbers: HashMap<String, usize>,
}

impl Parts {
    pub(super) fn new(
        options: KafkaOptions,
        topics: &BTreeSet<String>,
        handler: Handler,
        terms: ConsumerTerms,
        consumed: Consumed,
    ) -> Self {
        let numbers = retry_topics(topics, terms.retries.as_ref());
        let letters = DeadLetters::new(options.clone(), topics.iter().cloned());
        let letters = Arc::new(letters.found_in(numbers.keys().cloned()));
        Self { options, handler, terms, consumed, letters, numbers }
    }

    pub(super) fn task(
        &self,
        partition: Partition,
        consumer: Arc<BaseConsumer<Member>>,
        rewind: mpsc::UnboundedSender<(Partition, Back)>,
        stop: CancellationToken,
    ) -> PartTask {
        let number = self.numbers.get(&*partition.topic).copied().unwrap_or(0);
        let held = Arc::new(Held::default());
        let in_hand = if number == 0 { held.clone() } else { Arc::default() };
        let (letters, handler) = (self.letters.clone(), self.handler.name());
        let dead = PartLetters { letters, held: in_hand.clone(), handler, stop };
        let (kept, retries): (Arc<dyn ParkedEvents>, _) = match &self.terms.retries {
            None => (Arc::new(dead), None),
            Some(retries) => {
                let letters = Arc::new(RetryLetters::new(dead, self.options.clone(), retries, number));
                (letters.clone(), Some(letters))
            }
        };
        let mode = match (&retries, number) {
            (None, _) => PartMode::InOrder,
            (Some(_), 0) => PartMode::OutOfOrder,
            (Some(_), _) => PartMode::Again,
        };
        let again = match (mode, &retries, self.handler.parks()) {
            (PartMode::Again, Some(letters), Some(checkpoints)) => {
                Some(Again { checkpoints: checkpoints.clone(), in_hand, letters: letters.clone() })
            }
            _ => None,
        };
        let (parking, consumed) = (Parking::default(), self.consumed.clone());
        let kept = Arc::new(Noted { kept, parking: parking.clone() });
        let subscriber = self.handler.part(&partition.part(), mode, kept, self.terms.lease.clone());
        let (options, terms) = (self.options.clone(), self.terms.clone());
        PartTask {
            options,
            partition,
            subscriber,
            terms,
            consumer,
            rewind,
            held,
            parking,
            consumed,
            retries,
            again,
        }
    }
}

/// The retry topics of all `topics`, each with its number.
pub(super) fn retry_topics(topics: &BTreeSet<String>, retries: Option<&Retries>) -> HashMap<String, usize> {
    let Some(retries) = retries else { return HashMap::new() };
    topics.iter().flat_map(|topic| retries.topics(topic)).map(|(number, topic)| (topic, number)).collect()
}
