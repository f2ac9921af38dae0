//! A log that is read: a third of its events in streams of each length, those of several between each other.

use crate::writers::append_all;
use annals::{Commit, EventStore, Expected, StreamId, Version};
use annals_benches::{Args, postgres::Server, shop::Maker};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// How many events the streams have.
pub(crate) const LENGTHS: [u64; 3] = [10, 100, 1_000];

const SEED: u64 = 400;

/// So many streams of each length grow at a time: their events lie between each other.
const GROWING: usize = 16;

/// The log, in a schema of its own.
pub(crate) struct Sample {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) events: usize,
    streams: Vec<(u64, StreamId)>,
}

impl Sample {
    /// Where the statements of the plain side look for it.
    pub(crate) const SCHEMA: &str = "read";

    pub(crate) fn events_of(args: &Args) -> usize {
        if args.quick { 60_000 } else { 1_000_000 }
    }

    /// Some `events` in `schema`.
    pub(crate) fn make(
        runtime: &Runtime,
        server: &Server,
        schema: &str,
        events: usize,
    ) -> anyhow::Result<Self> {
        let store: Arc<dyn EventStore> = Arc::new(runtime.block_on(server.store(schema))?);
        let (mut maker, mut streams, mut of_writer) = (Maker::new(SEED), vec![], vec![]);
        for length in LENGTHS {
            let rounds = events / LENGTHS.len() / length as usize / GROWING;
            for writer in 0..GROWING {
                let mut commits = vec![];
                for round in 0..rounds {
                    let id = StreamId::new("order", format_args!("{length}-{writer}-{round}"))?;
                    for version in 0..length {
                        let events = maker.events(&id, 1)?;
                        commits.push(Commit::to(
                            id.clone(),
                            Expected::Exactly(Version::new(version)),
                            events,
                        ));
                    }
                    streams.push((length, id));
                }
                of_writer.push(commits);
            }
        }
        let events = runtime.block_on(append_all(store.clone(), of_writer))?.events;
        Ok(Self { store, events, streams })
    }

    /// The streams of this length.
    pub(crate) fn streams(&self, length: u64) -> Vec<StreamId> {
        self.streams.iter().filter(|(of, _)| *of == length).map(|(_, id)| id.clone()).collect()
    }
}
