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

impl Load {
    pub(crate) fn goal(&self, medium: Medium) -> f64 {
        let [disk, tmpfs, slow] = self.goals;
        match medium {
            Medium::Disk => disk,
            Medium::Tmpfs => tmpfs,
            Medium::SlowFlushes => slow,
        }
    }
}
