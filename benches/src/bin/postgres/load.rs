//! Who appends how much at a time, and what is expected of it.

use annals_benches::postgres::Medium;

/// What is measured.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) writers: usize,
    pub(crate) events_a_commit: u32,
    /// On disk, on tmpfs, and there with slow flushes.
    goals: [f64; 3],
}

/// One event an append.
pub(crate) const SINGLES: [Load; 3] = [
    Load { name: "append, 1 writer x 1 event", writers: 1, events_a_commit: 1, goals: [0.85, 0.75, 0.95] },
    Load { name: "append, 64 writers x 1 event", writers: 64, events_a_commit: 1, goals: [3.0, 2.3, 1.6] },
    Load { name: "append, 256 writers x 1 event", writers: 256, events_a_commit: 1, goals: [3.5, 2.8, 2.8] },
];

/// By a role that may only call the functions: what they look at besides costs most where nothing is flushed.
pub(crate) const RESTRICTED: Load = Load {
    name: "append by a restricted role, 1 writer x 1 event",
    writers: 1,
    events_a_commit: 1,
    goals: [0.0, 0.68, 0.0],
};

impl Load {
    pub(crate) fn goal(&self, medium: Medium) -> f64 {
        let [disk, tmpfs, slow] = self.goals;
        match medium {
            Medium::Disk => disk,
            Medium::Tmpfs => tmpfs,
            Medium::SlowFlushes => slow,
        }
    }

    /// How many events a flush carries, at least, for each writer: 60 of 64.
    pub(crate) fn goal_a_flush(&self) -> Option<f64> {
        (self.writers == 64).then_some(60.0 / 64.0)
    }
}
