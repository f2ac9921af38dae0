//! From a commit to a follower that has it: in the same process, and in another one.

use crate::writers::append_all;
use annals::{Commit, EventStore, Expected, LogFilter, PageLimit, Position, StreamId};
use annals_benches::{Args, Figure, Report, once, postgres::Server, shop::Maker};
use annals_postgres::PostgresStore;
use anyhow::{Context, ensure};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{runtime::Runtime, task::JoinHandle};

/// Name, whether the follower is another process, and how long it may take, in milliseconds.
const WAYS: [(&str, bool, f64); 2] = [
    ("from commit to a follower, same process, 99 of 100", false, 5.0),
    ("from commit to a follower, other process, 99 of 100", true, 50.0),
];

/// Appends besides those that are timed: under load.
const WRITERS: usize = 8;
const EACH: usize = 300;
const TIMED: usize = 300;
const SEED: u64 = 300;

/// Up to where a follower has come, and when. Processes of one machine have one clock.
type Seen = Vec<(Position, SystemTime)>;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (number, (name, apart, ms_max)) in (0..).zip(WAYS).filter(|(_, (name, ..))| args.wants(name)) {
        let ms = runtime.block_on(delay_ms(server, SEED + number, apart))?;
        report.add(&Figure::of(name, server.medium.name(), "ms", &once(ms, ms_max)).at_most(1.0))?;
    }
    Ok(())
}

async fn delay_ms(server: &Server, seed: u64, apart: bool) -> anyhow::Result<f64> {
    let store: Arc<dyn EventStore> = Arc::new(server.store("annals").await?);
    let mut maker = Maker::new(seed);
    let mut commits = |name: &str, count: usize| -> anyhow::Result<Vec<Commit>> {
        let id = StreamId::new("order", format_args!("waking-{seed}-{name}"))?;
        let commit = |_| Ok(Commit::to(id.clone(), Expected::Any, maker.events(&id, 1)?));
        (0..count).map(commit).collect()
    };
    let others =
        (0..WRITERS).map(|writer| commits(&writer.to_string(), EACH)).collect::<anyhow::Result<_>>()?;
    let timed = commits("timed", TIMED)?;
    let begin = *store.head().borrow();
    let events = TIMED + WRITERS * EACH;
    let seen = match apart {
        true => follow_apart(server, begin, events)?,
        false => tokio::spawn(follow(store.clone(), begin, events)),
    };
    let load = tokio::spawn(append_all(store.clone(), others));
    let mut committed = vec![];
    for commit in timed {
        committed.push((store.append(commit).await?.position, SystemTime::now()));
    }
    load.await??;
    let seen = seen.await??;
    let mut delays: Vec<Duration> = committed
        .iter()
        .filter_map(|(position, at)| {
            let page = seen.iter().find(|(looked, _)| looked >= position)?;
            Some(page.1.duration_since(*at).unwrap_or_default())
        })
        .collect();
    delays.sort_unstable();
    let at = delays.len() * 99 / 100;
    Ok(delays.get(at).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3))
}

/// Reads behind `after` as a subscriber does until so many events came.
async fn follow(store: Arc<dyn EventStore>, after: Position, events: usize) -> anyhow::Result<Seen> {
    let (mut head, mut at, mut came, mut seen) = (store.head(), after, 0, vec![]);
    while came < events {
        let page = store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await?;
        came += page.events.len();
        if page.looked > at {
            at = page.looked;
            seen.push((at, SystemTime::now()));
        } else {
            head.wait_for(|head| *head > at).await?;
        }
    }
    Ok(seen)
}

/// The same in a process of its own, which is ready when this returns.
fn follow_apart(
    server: &Server,
    after: Position,
    events: usize,
) -> anyhow::Result<JoinHandle<anyhow::Result<Seen>>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["follower", &server.url(), &after.get().to_string(), &events.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run this again")?;
    let mut said = BufReader::new(child.stdout.take().context("nothing can be heard")?).lines();
    ensure!(said.next().transpose()?.as_deref() == Some("ready"), "the follower did not get ready");
    Ok(tokio::task::spawn_blocking(move || told(child, said)))
}

fn told(mut child: Child, said: impl Iterator<Item = std::io::Result<String>>) -> anyhow::Result<Seen> {
    let seen = said.map(|line| {
        let line = line?;
        let (position, at) = line.split_once(' ').context("no position and time")?;
        Ok((Position::new(position.parse()?), UNIX_EPOCH + Duration::from_nanos(at.parse()?)))
    });
    let seen = seen.collect::<anyhow::Result<Seen>>()?;
    let status = child.wait()?;
    ensure!(status.success(), "the follower ended with {status}");
    Ok(seen)
}

/// What that process does: tells that it is ready, follows, and tells what it has seen when that is all.
pub(crate) async fn follow_here(url: &str, after: u64, events: usize) -> anyhow::Result<()> {
    let options = format!("{url}?schema=annals").parse()?;
    let store: Arc<dyn EventStore> = Arc::new(PostgresStore::open(&options).await?);
    // Whoever follows has its connection: opening one takes as long as fifty commits.
    store.read_log(Position::new(after), PageLimit::ONE, &LogFilter::all()).await?;
    println!("ready");
    for (position, at) in follow(store, Position::new(after), events).await? {
        println!("{position} {}", at.duration_since(UNIX_EPOCH)?.as_nanos());
    }
    Ok(())
}
