//! On SQLite, each append was flushed to the disk before it was acknowledged: a power cut takes none of them.
//!
//! A small C library that is loaded before the program counts the flushes; it is the one of the benchmarks.

use annals::{Commit, EventData, EventId, EventStore, Expected, Json, StreamId};
use annals_services::not_run;
use annals_sqlite::{SqliteOptions, SqliteStore};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How many commits are appended, each when the one before it was acknowledged.
const COMMITS: u64 = 100;

/// Set in the process that appends: the URL of its log.
const LOG: &str = "ANNALS_FLUSHED_LOG";

/// How the library is told where to count, and how much slower to make each flush.
const COUNTS: &str = "ANNALS_BENCH_SYNC_COUNTS";
const LONGER_US: &str = "ANNALS_BENCH_SYNC_US";

/// How the process begins to tell how many of its appends were flushed before they were acknowledged.
const TOLD: &str = "appends behind a flush: ";

/// The control is the setting that promises less: under `normal` no append waits for a flush, and it is seen.
#[test]
fn each_acknowledged_append_was_flushed_before() {
    if let Ok(url) = env::var(LOG) {
        return append_and_tell(&url);
    }
    let room = tempfile::tempdir().unwrap();
    let library = match compiled(room.path()) {
        Ok(library) => library,
        Err(why) => return not_run("appends are flushed", why),
    };
    for (synchronous, flushed) in [("full", COMMITS), ("normal", 0)] {
        let log = room.path().join(format!("{synchronous}.db"));
        let alone = Command::new(env::current_exe().unwrap())
            .args(["--exact", "flushed::each_acknowledged_append_was_flushed_before", "--nocapture"])
            .env("LD_PRELOAD", &library)
            .env(COUNTS, room.path().join(synchronous))
            .env(LONGER_US, "0")
            .env(LOG, format!("sqlite:{}?synchronous={synchronous}", log.display()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&alone.stdout) + String::from_utf8_lossy(&alone.stderr);
        let told = said.split_once(TOLD).map(|(_, rest)| rest.lines().next().unwrap_or_default());
        assert_eq!(told, Some(&*flushed.to_string()), "{synchronous}: {said}");
    }
}

/// In a process of its own, which nothing else flushes for.
fn append_and_tell(url: &str) {
    let options: SqliteOptions = url.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = SqliteStore::open(&options).unwrap();
    // The first commit begins the write-ahead log, which is flushed in either case.
    runtime.block_on(append(&store));
    let flushed = (0..COMMITS).filter(|_| {
        let before = flushes();
        runtime.block_on(append(&store));
        flushes() > before
    });
    println!("{TOLD}{}", flushed.count());
}

async fn append(store: &SqliteStore) {
    let event = EventData::raw(EventId::random(), "Counted", 1, Json::empty());
    let stream = StreamId::new("stock", "hat").unwrap();
    store.append(Commit::to(stream, Expected::Any, [event])).await.unwrap();
}

/// How many there were so far in this process.
fn flushes() -> u64 {
    let counts = fs::read(env::var_os(COUNTS).unwrap()).unwrap();
    u64::from_ne_bytes(counts[..8].try_into().unwrap())
}

/// The library, or why there is none.
fn compiled(room: &Path) -> Result<PathBuf, String> {
    if !cfg!(target_os = "linux") {
        return Err("only Linux has LD_PRELOAD".into());
    }
    let (source, library) = (room.join("preload.c"), room.join("preload.so"));
    fs::write(&source, include_str!("../../../benches/src/preload.c")).unwrap();
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut compile = Command::new(compiler);
    compile.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    match compile.output() {
        Ok(done) if done.status.success() => Ok(library),
        Ok(done) => panic!("the C compiler refused preload.c: {}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => Err(format!("there is no C compiler: {error}")),
    }
}
