//! Rebuilding beside the live generation, comparing both, and what is left in the end.

use super::*;
use annals::{CheckpointError, CompareError, GenerationState, SwitchError};
use std::process::Command;

async fn rebuild(store: &SqliteDocuments, name: &str) -> Lease {
    let building = store.start_rebuild(name, 1).await.unwrap();
    store.acquire(&building, &terms("rebuild", HOUR)).await.unwrap()
}

#[tokio::test]
async fn generations_differ_by_value_and_by_key() {
    let file = File::new();
    let store = file.open();
    let old = held(&store, "orders").await;
    let new = rebuild(&store, "orders").await;
    let was = [("a", r#"{"x":1,"y":[2.50]}"#), ("b", "1"), ("c", "true"), ("", "0"), ("z", "0")];
    let is = [("a", r#"{ "y":[2.5], "x":1.0 }"#), ("b", "2"), ("d", "true"), ("", "0"), ("z", "-0.0")];
    store.commit(&step(&old, 0, 7), puts(was)).await.unwrap();
    let apart = store.compare(&old.subscriber, &new.subscriber).await;
    assert!(matches!(apart, Err(CompareError::Apart { old, new }) if old.get() == 7 && new.get() == 0));

    store.commit(&step(&new, 0, 7), puts(is)).await.unwrap();
    let found = store.compare(&old.subscriber, &new.subscriber).await.unwrap();
    assert_eq!(found.examples, ["b", "c", "d"]);
    assert_eq!([found.documents, found.changed, found.missing, found.extra], [6, 1, 1, 1]);
    assert_eq!(found.position.get(), 7);
}

#[tokio::test]
async fn a_switch_fences_the_old_generation_and_purging_empties_it() {
    let file = File::new();
    let store = file.open();
    let old = held(&store, "orders").await;
    store.commit(&step(&old, 0, 7), puts([("a", "1"), ("b", "1"), ("c", "1")])).await.unwrap();
    let new = rebuild(&store, "orders").await;
    assert_eq!(store.start_rebuild("orders", 1).await.unwrap(), new.subscriber, "it is taken up again");
    let behind = store.switch(&new.subscriber).await;
    assert!(matches!(behind, Err(SwitchError::Behind { at, live, .. }) if at.get() == 0 && live.get() == 7));
    store.commit(&step(&new, 0, 7), puts([("a", "2")])).await.unwrap();
    assert!(store.purge(&old.subscriber, PageLimit::ONE).await.is_err(), "it is live");

    store.switch(&new.subscriber).await.unwrap();
    assert_eq!(store.open("orders", 1).await.unwrap(), new.subscriber);
    let late = store.commit(&step(&old, 7, 8), puts([("late", "1")])).await;
    assert!(matches!(late, Err(CheckpointError::Retired { .. })), "{late:?}");
    assert!(matches!(store.switch(&new.subscriber).await, Err(SwitchError::Gone { .. })));
    assert!(store.abandon(&new.subscriber).await.is_err(), "it is live");
    let states: Vec<_> = store.subscribers().await.unwrap().iter().map(|info| info.state).collect();
    assert_eq!(states, [GenerationState::Retired, GenerationState::Live]);

    let two = PageLimit::new(2).unwrap();
    assert!(!store.purge(&old.subscriber, two).await.unwrap());
    assert!(store.purge(&old.subscriber, two).await.unwrap());
    assert!(keys(&store, &old.subscriber).await.is_empty());
    assert_eq!(keys(&store, &new.subscriber).await, ["a"]);
}

/// How many documents of about a kilobyte each generation has.
const DOCUMENTS: u64 = 50_000;

/// How much more memory than before comparing takes at most, in KiB: the page cache of its connection is 8 MiB.
const GROWTH_KIB_MAX: u64 = 16 << 10;

/// Peak memory belongs to a process, so this test runs again in one of its own, which then measures.
/// The control reads the same documents into memory, and must grow by more.
#[test]
fn comparing_takes_no_more_memory_for_more_documents() {
    if !cfg!(target_os = "linux") {
        let what = "comparing_takes_no_more_memory_for_more_documents";
        return annals::testing::skip(what, "peak memory is read from /proc");
    }
    if std::env::var_os("ANNALS_MEASURED_ALONE").is_some() {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(measure());
        return;
    }
    let name = "comparing::comparing_takes_no_more_memory_for_more_documents";
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("ANNALS_MEASURED_ALONE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stdout) + String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
}

async fn measure() {
    let file = File::new();
    let store = file.open();
    let (old, new) = (held(&store, "orders").await, rebuild(&store, "orders").await);
    for from in (0..DOCUMENTS).step_by(1_000) {
        for lease in [&old, &new] {
            let document = |n| (format!("order-{n:08}"), format!("\"{n:01000}\""));
            let page = puts((from..from + 1_000).map(document));
            store.commit(&step(lease, from, from + 1_000), page).await.unwrap();
        }
    }
    let before = peak_kib();
    let found = store.compare(&old.subscriber, &new.subscriber).await.unwrap();
    assert_eq!((found.documents, found.differences()), (DOCUMENTS, 0));
    let grown = peak_kib() - before;
    assert!(grown <= GROWTH_KIB_MAX, "comparing grew by {grown} KiB");

    let mut all = Vec::new();
    while (all.len() as u64) < DOCUMENTS {
        let after = all.last().map(|(key, _): &(Arc<str>, Json)| key.clone());
        all.extend(store.documents(&old.subscriber, after.as_deref(), PageLimit::DEFAULT).await.unwrap());
    }
    let control = peak_kib() - before;
    assert!(control > GROWTH_KIB_MAX, "the control grew by {control} KiB only");
}

/// The most memory this process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
