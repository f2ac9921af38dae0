//! Tests of projections.

use super::recording::{Recording, stream_of};
use crate::{DomainEvent, EventSet, Json, LogFilter, ProjectError, Projection, RecordedEvent, error_text};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// A projection with the documents it has made so far.
pub struct Projecting<P> {
    projection: P,
    recording: Recording,
    documents: BTreeMap<Arc<str>, Json>,
    refused: BTreeMap<Arc<str>, String>,
}

/// Begins a test of a projection, over an empty log. Events and documents go through JSON and back on the way, and
/// events of types that the projection does not take are left out, as its runner does.
///
/// ```
/// # use annals::{DomainEvent, Keys, ProjectError, Projection, RecordedEvent};
/// # #[derive(serde::Serialize, serde::Deserialize)] enum Moved { Deposited { cents: u64 }, Closed }
/// # use Moved::*;
/// # impl DomainEvent for Moved { const CATEGORY: &'static str = "account"; }
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Balance { cents: u64 }
/// # struct Balances;
/// # impl Projection for Balances {
/// #     const NAME: &'static str = "balances"; type Event = Moved; type Document = Balance;
/// #     fn keys(&self, _: &Moved, recorded: &RecordedEvent) -> Keys { recorded.key().into() }
/// #     fn project(&self, _: &str, before: Option<Balance>, event: &Moved, _: &RecordedEvent)
/// #         -> Result<Option<Balance>, ProjectError> {
/// #         let was = before.map_or(0, |b| b.cents);
/// #         match event {
/// #             Deposited { cents: 0 } => Err(ProjectError::new("nothing was deposited")),
/// #             Deposited { cents } => Ok(Some(Balance { cents: was + cents })),
/// #             Closed => Ok(None),
/// #         }
/// #     }
/// # }
/// use annals::testing::projecting;
///
/// projecting(Balances)
///     .given("account-7", [Deposited { cents: 30 }, Deposited { cents: 12 }])
///     .given("account-8", [Deposited { cents: 1 }, Closed])
///     .given("account-9", [Deposited { cents: 0 }])
///     .then_document("7", Balance { cents: 42 })
///     .then_no_document("8")
///     .then_refused("9", "nothing was deposited");
/// ```
pub fn projecting<P: Projection>(projection: P) -> Projecting<P> {
    Projecting {
        projection,
        recording: Recording::new(),
        documents: BTreeMap::new(),
        refused: BTreeMap::new(),
    }
}

impl<P: Projection> Projecting<P> {
    /// What is given from here on is recorded at `time`; before, at the beginning of 2026.
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.recording.set_time(time);
        self
    }

    /// These events happen next, in `stream`.
    #[track_caller]
    pub fn given<E: DomainEvent>(mut self, stream: &str, events: impl IntoIterator<Item = E>) -> Self {
        let stream = stream_of::<E>(stream);
        for event in events {
            let recorded = self.recording.record(&stream, &event);
            self.take(&recorded);
        }
        self
    }

    /// The document under `key` is this one, compared as JSON values.
    #[track_caller]
    pub fn then_document(self, key: &str, expected: P::Document) -> Self {
        let expected = to_json(key, &expected);
        match self.documents.get(key) {
            Some(document) if value(document) == value(&expected) => self,
            Some(document) => panic!(
                "document {key:?} is another\n  expected: {:#}\n  is:       {:#}{}",
                value(&expected),
                value(document),
                self.refusal_of(key)
            ),
            None => panic!(
                "there is no document {key:?}{}\n  expected: {:#}\n  there are: {:?}",
                self.refusal_of(key),
                value(&expected),
                self.documents.keys()
            ),
        }
    }

    /// There is no document under `key`.
    #[track_caller]
    pub fn then_no_document(self, key: &str) -> Self {
        if let Some(document) = self.documents.get(key) {
            panic!("there is a document {key:?}\n  expected: none\n  is: {:#}", value(document));
        }
        self
    }

    /// An event of `key` was refused with a text that holds `reason`; it and those that follow are parked, the
    /// document stays as it was.
    #[track_caller]
    pub fn then_refused(self, key: &str, reason: &str) -> Self {
        match self.refused.get(key) {
            Some(refused) if refused.contains(reason) => self,
            Some(refused) => {
                panic!(
                    "an event of {key:?} was refused for another reason\n  expected: {reason}\n  refused:  {refused}"
                )
            }
            None => {
                panic!("no event of {key:?} was refused\n  expected: {reason}\n  refused: {:?}", self.refused)
            }
        }
    }

    #[track_caller]
    fn take(&mut self, recorded: &RecordedEvent) {
        if !LogFilter::of::<P::Event>().takes(recorded) {
            return;
        }
        let mut events = Vec::with_capacity(1);
        if let Err(error) = P::Event::decode(recorded, &mut |event| events.push(event)) {
            panic!("{error}");
        }
        // As the runner does: what one recorded event does to a document, it does whole or not at all.
        let mut touched: BTreeMap<Arc<str>, Option<Json>> = BTreeMap::new();
        for event in &events {
            for key in self.projection.keys(event, recorded).iter() {
                if self.refused.contains_key(key) {
                    continue;
                }
                let before = touched.get(key).cloned().unwrap_or_else(|| self.documents.get(key).cloned());
                match self.project(key, before.as_ref(), event, recorded) {
                    Ok(after) => {
                        touched.insert(key.clone(), after);
                    }
                    Err(error) => {
                        self.refused.insert(key.clone(), error_text(&error));
                        touched.remove(key);
                    }
                }
            }
        }
        for (key, after) in touched {
            match after {
                Some(document) => self.documents.insert(key, document),
                None => self.documents.remove(&key),
            };
        }
    }

    #[track_caller]
    fn project(
        &self,
        key: &str,
        before: Option<&Json>,
        event: &P::Event,
        recorded: &RecordedEvent,
    ) -> Result<Option<Json>, ProjectError> {
        let before = before.map(|json| match json.read() {
            Ok(document) => document,
            Err(error) => {
                panic!("document {key:?} cannot be read as it is written: {error}\n  written: {json}")
            }
        });
        let after = self.projection.project(key, before, event, recorded)?;
        Ok(after.map(|document| to_json(key, &document)))
    }

    fn refusal_of(&self, key: &str) -> String {
        self.refused
            .get(key)
            .map_or_else(String::new, |reason| format!("\n  an event of it was refused: {reason}"))
    }
}

#[track_caller]
fn to_json<D: serde::Serialize>(key: &str, document: &D) -> Json {
    match Json::of(document) {
        Ok(json) => json,
        Err(error) => panic!("document {key:?} cannot be written as JSON: {error}"),
    }
}

#[track_caller]
fn value(json: &Json) -> Value {
    match json.read() {
        Ok(value) => value,
        Err(error) => panic!("a document is no JSON: {error}\n  is: {json}"),
    }
}
