//! What this program tells in metrics while its tests run.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Keeps the counters and gauges of this program, by name and labels.
#[derive(Clone, Default)]
pub(crate) struct Metered(Arc<Mutex<BTreeMap<Labelled, Arc<AtomicU64>>>>);

/// A name, and the values of its labels.
type Labelled = (String, Vec<String>);

impl Metered {
    pub(crate) fn of_this_program() -> Self {
        static KEPT: Mutex<Option<Metered>> = Mutex::new(None);
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let metered = Self::default();
            metrics::set_global_recorder(metered.clone()).map_err(|_| "there is one").unwrap();
            *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(metered);
        });
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap()
    }

    /// The gauges of this name that have this label, by all labels.
    pub(crate) fn gauges(&self, name: &str, label: &str) -> BTreeMap<Vec<String>, f64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(known, labels): &Labelled| known == name && labels.iter().any(|l| l == label);
        let found = all.iter().filter(|(key, _)| of(key));
        found.map(|((_, labels), at)| (labels.clone(), f64::from_bits(at.load(Ordering::Relaxed)))).collect()
    }

    /// The counter of this name with these labels, in their order; 0 where nothing was counted.
    pub(crate) fn count(&self, name: &str, labels: &[&str]) -> u64 {
        let key = (name.to_string(), labels.iter().map(|label| (*label).into()).collect());
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&key).map_or(0, |at| at.load(Ordering::Relaxed))
    }

    fn of(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key.labels().map(|label| label.value().to_string()).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((key.name().into(), labels)).or_default().clone()
    }
}

impl Recorder for Metered {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
