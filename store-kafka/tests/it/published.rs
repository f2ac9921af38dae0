//! What is committed is published: once, in order, under the key of its aggregate.

use crate::broker::{shared, unique};
use annals::{
    Commit, EventData, EventId, EventStore, Expected, Json, MemoryDocuments, MemoryStore, Position, StreamId,
    catch_up,
};
use annals_kafka::{KafkaOptions, Proof, Publisher, PublisherTerms, TopicNames};
use std::{collections::BTreeSet, sync::Arc};

struct Place {
    options: KafkaOptions,
    store: Arc<MemoryStore>,
    documents: Arc<MemoryDocuments>,
    name: String,
    prefix: String,
}

impl Place {
    fn new() -> Option<Self> {
        let options = shared()?;
        let (store, documents) = Default::default();
        Some(Self {
            options,
            store,
            documents,
            name: unique("publisher"),
            prefix: format!("{}.", unique("test")),
        })
    }

    fn terms(&self) -> PublisherTerms {
        let topics = TopicNames::prefixed(&self.prefix).unwrap();
        PublisherTerms { topics, create_topics: Some(4), ..PublisherTerms::default() }
    }

    fn publisher(&self, terms: PublisherTerms) -> Publisher {
        Publisher::new(&self.name, self.options.clone(), terms, self.store.clone(), self.documents.clone())
    }

    async fn append(&self, category: &str, key: u32, events: u32) {
        let stream = StreamId::new(category, key).unwrap();
        let event = |n| {
            EventData::raw(EventId::random(), "Noted", 1, Json::parse(&format!("{{\"n\":{n}}}")).unwrap())
        };
        let commit = Commit::to(stream, Expected::Any, (0..events).map(event).collect::<Vec<_>>());
        self.store.append(commit).await.unwrap();
    }

    async fn proof(&self, categories: &[&str]) -> Proof {
        let topics = categories.iter().map(|category| format!("{}{category}", self.prefix));
        Proof::read(&self.options, topics.collect::<BTreeSet<_>>()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_published_once_and_in_order_also_after_a_new_start() {
    let Some(place) = Place::new() else { return };
    for round in 0..3 {
        for key in 0..100 {
            place.append("order", key, 3).await;
            place.append("stock", key, 1).await;
        }
        let at = catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
        assert_eq!(at, Position::new(400 * (round + 1)));
        let proof = place.proof(&["order", "stock"]).await;
        assert!(proof.holds(), "{proof:?}");
        assert_eq!(proof.records(), 400 * (round + 1));
    }
}
