//! A log to read: streams of three lengths that grew at the same time.

use crate::plain::PlainLog;
use annals::{Commit, Expected, StreamId, Version};
use annals_benches::{Args, shop::Maker};
use std::path::{Path, PathBuf};

/// How long streams are; a third of the events lies in streams of each length.
pub(crate) const LENGTHS: [u64; 3] = [10, 100, 1_000];

/// So many streams of each length grow at a time: their events lie between each other.
const GROWING: usize = 16;

/// How many events are written in one transaction while the log is made.
const EVENTS_A_TRANSACTION: usize = 10_000;

/// A log in a file.
pub(crate) struct SampleLog {
    pub(crate) path: PathBuf,
    pub(crate) events: usize,
}

#[derive(Clone, Copy, Default)]
struct Growing {
    number: usize,
    version: u64,
}

impl SampleLog {
    /// How many events the log of a run holds.
    pub(crate) fn events_of(args: &Args) -> usize {
        if args.quick { 100_000 } else { 1_000_000 }
    }

    pub(crate) fn make(path: &Path, events: usize) -> anyhow::Result<Self> {
        let mut plain = PlainLog::new(path)?.without_flushes();
        let mut maker = Maker::new(3);
        let start = |_| std::array::from_fn(|number| Growing { number, version: 0 });
        let mut growing: [[Growing; GROWING]; LENGTHS.len()] = std::array::from_fn(start);
        let mut made = [GROWING; LENGTHS.len()];
        let mut written = 0;
        while written < events {
            let count = EVENTS_A_TRANSACTION.min(events - written);
            let mut commits = Vec::with_capacity(count);
            for at in written..written + count {
                let (kind, place) = (at % LENGTHS.len(), at / LENGTHS.len() % GROWING);
                let stream = &mut growing[kind][place];
                if stream.version == LENGTHS[kind] {
                    *stream = Growing { number: made[kind], version: 0 };
                    made[kind] += 1;
                }
                let id = name(LENGTHS[kind], stream.number)?;
                let events = maker.events(&id, 1)?;
                commits.push(Commit::to(id, Expected::Exactly(Version::new(stream.version)), events));
                stream.version += 1;
            }
            let rows = plain.rows(vec![commits])?;
            plain.write(&rows, count)?;
            written += count;
        }
        Ok(Self { path: path.into(), events })
    }

    /// Streams that have reached this length.
    pub(crate) fn streams(&self, length: u64) -> anyhow::Result<Vec<StreamId>> {
        let full = self.events / LENGTHS.len() / length as usize / GROWING * GROWING;
        (0..full).map(|number| name(length, number)).collect()
    }
}

fn name(length: u64, number: usize) -> anyhow::Result<StreamId> {
    Ok(StreamId::new("order", format_args!("{length}-{number:06}"))?)
}
