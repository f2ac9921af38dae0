//! Many writers on one stream, beside one writer.

use crate::writers::append_all;
use annals::{Commit, EventStore, Expected, StreamId};
use annals_benches::{Args, Figure, Report, Turn, pairs, postgres::Server, shop::Maker};
use std::{cell::RefCell, sync::Arc};
use tokio::runtime::Runtime;

const HOT: &str = "append, 64 writers on one stream beside one writer";
const WRITERS: usize = 64;
const SEED: u64 = 200;

/// How many commits a turn holds for each writer of many, and for the only one.
const EACH: (usize, usize) = (60, 300);

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants(HOT) {
        return Ok(());
    }
    let store = Arc::new(runtime.block_on(server.store("annals"))?);
    let maker = RefCell::new(Maker::new(SEED));
    let turn = |writers: usize, each: usize| -> anyhow::Result<Turn> {
        let store: Arc<dyn EventStore> = store.clone();
        let commits = commits(&mut maker.borrow_mut(), writers, each)?;
        Ok(runtime.block_on(append_all(store, commits))?.turn)
    };
    let pairs = pairs(args.rounds, || turn(WRITERS, EACH.0), || turn(1, EACH.1))?;
    report.add(&Figure::of(HOT, server.medium.name(), "events/s", &pairs).at_least(1.0))
}

fn commits(maker: &mut Maker, writers: usize, each: usize) -> anyhow::Result<Vec<Vec<Commit>>> {
    let hot: StreamId = "order-hot".parse()?;
    let mut commit = || anyhow::Ok(Commit::to(hot.clone(), Expected::Any, maker.events(&hot, 1)?));
    (0..writers).map(|_| (0..each).map(|_| commit()).collect()).collect()
}
