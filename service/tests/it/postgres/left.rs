//! What a run has left in the log and in the read models, made comparable.

use crate::program::{Program, only};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The read models of the shop, each with the field that is its key.
const READ_MODELS: [(&str, &str); 5] = [
    ("orders", "order"),
    ("stock", "sku"),
    ("customer-orders", "customer"),
    ("sales-per-day", "day"),
    ("sales-per-sku", "sku"),
];

/// What a run has left.
///
/// What may differ from run to run is left out or put in order, and nothing else:
/// - positions and the times of recording: streams are written side by side, when their turn comes;
/// - the order of events in a stream of `stock`, and of the `SkuReserved` of an order: orders wait for articles side
///   by side. That versions are contiguous is checked here;
/// - what names the event that an order waited for last: `occurred_at` of `Confirmed` and `Cancelled`, which is the time
///   when that was recorded, and their own id and cause, which derive from it;
/// - in read models, the fields that repeat these times, and the order of a customer's last orders.
#[derive(Debug, PartialEq)]
pub(crate) struct Left {
    /// By stream, its events in the order of their versions.
    streams: BTreeMap<String, Vec<Value>>,
    /// By read model, its documents by their keys.
    read_models: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

fn with<'a>(command: &[&'a str], stores: &'a [String]) -> Vec<&'a str> {
    command.iter().copied().chain(stores.iter().map(String::as_str)).collect()
}

/// That the log is whole, and every read model what a replay makes of it.
pub(crate) fn readable(program: &Program, stores: &[String]) {
    let checked = only(program.json(with(&["check"], stores)));
    assert_eq!(checked["ok"], true, "{checked}");
    let replayed = program.json(with(&["replay", "--all", "--diff"], stores));
    assert_eq!(replayed.len(), READ_MODELS.len());
    for read_model in replayed {
        assert_eq!(read_model["differences"], 0, "{read_model}");
    }
}

/// Reads it all.
pub(crate) fn left(program: &Program, stores: &[String]) -> Left {
    readable(program, stores);
    let mut streams = BTreeMap::<String, Vec<Value>>::new();
    for mut event in program.json(with(&["tail"], stores)) {
        let stream = event["stream"].as_str().unwrap().to_string();
        let before = streams.entry(stream).or_default();
        assert_eq!(event["version"], before.len() + 1, "{event}");
        without(&mut event, &["position", "recorded_at", "version", "stream"]);
        if ["Confirmed", "Cancelled"].contains(&event["type"].as_str().unwrap()) {
            without(&mut event, &["id"]);
            without(&mut event["payload"], &["occurred_at"]);
            without(&mut event["metadata"], &["causation_id", "command_id"]);
        }
        if event["type"] == "SkuReserved" {
            // Confirming is in the same commit as the last of them, and so under the same command.
            without(&mut event["metadata"], &["command_id"]);
        }
        before.push(event);
    }
    for (stream, events) in &mut streams {
        let side_by_side = |event: &Value| stream.starts_with("stock-") || event["type"] == "SkuReserved";
        for run in events.chunk_by_mut(|one, next| side_by_side(one) && side_by_side(next)) {
            run.sort_by_key(Value::to_string);
        }
    }
    let read_models = READ_MODELS.map(|(name, key)| {
        let documents = program.json(with(&["query", name], stores)).into_iter().map(|mut document| {
            let times = ["confirmed_at", "cancelled_at", "placed_recorded_at", "changed_recorded_at"];
            without(&mut document, &times);
            if let Some(orders) = document["last_orders"].as_array_mut() {
                orders.sort_by_key(Value::to_string);
            }
            (document[key].as_str().unwrap().to_string(), document)
        });
        (name, documents.collect())
    });
    Left { streams, read_models: read_models.into() }
}

fn without(of: &mut Value, keys: &[&str]) {
    for key in keys {
        of.as_object_mut().unwrap().remove(*key);
    }
}

impl Left {
    /// Fails with the first stream or document that differs.
    pub(crate) fn compare(&self, other: &Self) {
        let names = |left: &Self| left.streams.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(other));
        for (stream, events) in &self.streams {
            assert_eq!(json!(events), json!(other.streams[stream]), "{stream}");
        }
        for (name, documents) in &self.read_models {
            let keys = |left: &Self| left.read_models[name].keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(self), keys(other), "{name}");
            for (key, document) in documents {
                assert_eq!(document, &other.read_models[name][key], "{name} {key}");
            }
        }
        assert_eq!(self, other);
    }

    /// Each first event of an order and of an article: what was asked for.
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        let is_asked = |event: &&Value| ["Placed", "Received"].contains(&event["type"].as_str().unwrap());
        let first = |(stream, events): (&String, &Vec<Value>)| {
            Some((stream.clone(), events.iter().find(is_asked)?.clone()))
        };
        self.streams.iter().filter_map(first).collect()
    }

    pub(crate) fn events(&self) -> usize {
        self.streams.values().map(Vec::len).sum()
    }

    pub(crate) fn documents(&self) -> usize {
        self.read_models.values().map(BTreeMap::len).sum()
    }

    /// How many events are of that type.
    pub(crate) fn counts(&self, of: &str) -> usize {
        self.streams.values().flatten().filter(|event| event["type"] == of).count()
    }
}
