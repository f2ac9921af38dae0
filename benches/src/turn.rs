use crate::process::cpu_time;
use std::time::{Duration, Instant};

/// What one side did in one of its turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// So many a second, or whatever else is measured.
    pub value: f64,
    /// How long a core was busy for one, in microseconds; other programs on the machine hardly change it. 0 where
    /// nobody knows.
    pub cpu_us: f64,
}

/// Measures a turn from its start.
#[derive(Debug)]
pub struct Stopwatch {
    began: Instant,
    cpu_before: Duration,
}

impl Stopwatch {
    /// The turn begins now.
    pub fn start() -> Self {
        Self { cpu_before: cpu_time(), began: Instant::now() }
    }

    /// The turn ends now: so many were done.
    pub fn stop(self, count: usize) -> Turn {
        let (took, count) = (self.began.elapsed(), count as f64);
        let busy = cpu_time().saturating_sub(self.cpu_before);
        let cpu_us = busy.as_secs_f64() * 1e6 / count.max(1.0);
        Turn { value: count / took.as_secs_f64().max(1e-9), cpu_us }
    }
}

impl From<f64> for Turn {
    fn from(value: f64) -> Self {
        Self { value, cpu_us: 0.0 }
    }
}
