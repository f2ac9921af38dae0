//! What was metered, for tests.

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps what was told to each metric, in order. Put in place by `metrics::set_default_local_recorder`, for one thread.
#[derive(Debug, Clone, Default)]
pub struct Metered(Arc<Mutex<Vec<(Key, f64)>>>);

impl Metered {
    /// What the metric called `name` was set to, or raised by, whatever its labels.
    pub fn told(&self, name: &str) -> Vec<f64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(key, _)| key.name() == name).map(|(_, value)| *value).collect()
    }

    /// What stood under the first label of the metric called `name`, each time.
    pub fn labels(&self, name: &str) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = all.iter().map(|(key, _)| key).filter(|key| key.name() == name);
        keys.filter_map(|key| Some(key.labels().next()?.value().to_string())).collect()
    }

    fn one(&self, key: &Key) -> Arc<One> {
        Arc::new(One { all: self.clone(), key: key.clone() })
    }
}

struct One {
    all: Metered,
    key: Key,
}

impl One {
    fn tell(&self, value: f64) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).push((self.key.clone(), value));
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.tell(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.tell(value as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.tell(value);
    }

    fn decrement(&self, value: f64) {
        self.tell(-value);
    }

    fn set(&self, value: f64) {
        self.tell(value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.tell(value);
    }
}

impl Recorder for Metered {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}
