//! Several processes that append at once, beside one.

use crate::writers::append_all;
use annals::{Commit, EventStore, Expected, StreamId};
use annals_benches::{Args, Figure, Report, Turn, once, pairs, postgres::Server, shop::Maker};
use annals_postgres::PostgresStore;
use anyhow::{Context, ensure};
use std::{
    cell::Cell,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tokio::runtime::Runtime;

const LOADS: [(&str, usize); 2] = [
    ("append, 2 processes x 8 writers beside one process", 2),
    ("append, 8 processes x 8 writers beside one process", 8),
];

const WRITERS: usize = 8;
const SEED: u64 = 10_000;

/// How many appends of each writer do not count.
const WARM_UP: usize = 10;

/// No append may wait longer, in milliseconds.
const STALL_MS_MAX: f64 = 250.0;

pub(crate) fn measure(args: &Args, server: &Server, report: &mut Report) -> anyhow::Result<()> {
    // Processes get seeds of their own: no id is made twice.
    let seed = Cell::new(SEED + server.port() as u64);
    let each = if args.quick { 250 } else { 1_000 };
    for (name, processes) in LOADS.into_iter().filter(|(name, _)| args.wants(name)) {
        let stall = Cell::new(0.0_f64);
        let turn = |count: usize| -> anyhow::Result<Turn> {
            let first = seed.replace(seed.get() + count as u64);
            let (turn, longest_ms) = run(server, count, first, each)?;
            if count > 1 {
                stall.set(stall.get().max(longest_ms));
            }
            Ok(turn)
        };
        let pairs = pairs(args.rounds, || turn(processes), || turn(1))?;
        report.add(&Figure::of(name, server.medium.name(), "events/s", &pairs).at_least(0.8))?;
        let longest = once(stall.get(), STALL_MS_MAX);
        let name = format!("{name}: longest wait");
        report.add(&Figure::of(name, server.medium.name(), "ms", &longest).at_most(1.0))?;
    }
    Ok(())
}

/// So many processes begin together: how many events a second they append until the last one is done, and the longest
/// wait of all, in milliseconds.
fn run(server: &Server, processes: usize, seed: u64, each: usize) -> anyhow::Result<(Turn, f64)> {
    let mut children = vec![];
    for number in 0..processes {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("appender").args([&server.url(), &(seed + number as u64).to_string(), &each.to_string()]);
        children.push(
            child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot run this again")?,
        );
    }
    let mut lines = vec![];
    for child in &mut children {
        let mut said = BufReader::new(child.stdout.take().context("nothing can be heard")?).lines();
        ensure!(said.next().transpose()?.as_deref() == Some("ready"), "an appender did not get ready");
        lines.push(said);
    }
    let began = std::time::Instant::now();
    for child in &mut children {
        writeln!(child.stdin.as_mut().context("nothing can be said")?, "begin")?;
    }
    let mut longest_ms = 0.0_f64;
    for said in &mut lines {
        let told = said.next().transpose()?.context("an appender failed")?;
        longest_ms = longest_ms.max(told.parse()?);
    }
    let took = began.elapsed();
    children.into_iter().try_for_each(ended)?;
    let events = processes * WRITERS * each;
    Ok(((events as f64 / took.as_secs_f64()).into(), longest_ms))
}

fn ended(mut child: Child) -> anyhow::Result<()> {
    let status = child.wait()?;
    ensure!(status.success(), "an appender ended with {status}");
    Ok(())
}

/// What one of the processes does: tells that it is ready, begins when told, and tells its longest wait.
pub(crate) fn append_here(runtime: &Runtime, url: &str, seed: u64, each: usize) -> anyhow::Result<()> {
    let options = format!("{url}?schema=annals").parse()?;
    let store: Arc<dyn EventStore> = Arc::new(runtime.block_on(PostgresStore::open(&options))?);
    let mut maker = Maker::new(seed);
    let mut commit = |writer: usize| {
        let id = StreamId::new("order", format_args!("{seed}-{writer}"))?;
        let events = maker.events(&id, 1)?;
        anyhow::Ok(Commit::to(id, Expected::Any, events))
    };
    let mut commits = |each: usize| -> anyhow::Result<Vec<Vec<Commit>>> {
        (0..WRITERS).map(|writer| (0..each).map(|_| commit(writer)).collect()).collect()
    };
    // Connecting and preparing statements is not appending: it would count for more where one process is measured.
    runtime.block_on(append_all(store.clone(), commits(WARM_UP)?))?;
    let commits = commits(each)?;
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;
    let appended = runtime.block_on(append_all(store, commits))?;
    println!("{}", appended.wait_ms(100.0));
    Ok(())
}
