//! The disk is full: a clear error, nothing acknowledged is lost, and it goes on when there is room.

use crate::{
    books::assert_same_as_replayed,
    ledger::{Ledger, disorder, whole_log},
    small_disk::SmallDisk,
};
use annals::{
    AppendError, Commit, DocumentStore, Engine, EventData, EventId, EventStore, Expected, Json, LeaseTerms,
    PageLimit, StreamFilter, StreamId, SubscriberError, VersionRange, catch_up, error_text,
};
use annals_sqlite::{SqliteDocuments, SqliteOptions, SqliteStore};
use annals_tests::{Report, Shop};
use northwind_aggregates::{Burst, BurstTerms};
use std::{path::Path, sync::Arc};
use tokio::task::JoinSet;

const WRITERS: usize = 16;

/// More than fits on any disk of these stories.
const COMMITS_MAX: usize = 2_000;

fn commit(stream: &StreamId) -> Commit {
    let payload = Json::of(&"x".repeat(6_000)).unwrap();
    let event = |payload| EventData::raw(EventId::random(), "Noted", 1, payload);
    Commit::to(stream.clone(), Expected::Any, [event(payload.clone()), event(payload)])
}

/// Several writers append until each of them is refused; what they were told goes to the ledger.
async fn append_until_refused(store: &Arc<SqliteStore>, ledger: &mut Ledger) -> Vec<AppendError> {
    let mut writing = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writing.spawn(async move {
            let stream = StreamId::new("note", writer).unwrap();
            let mut told = vec![];
            for _ in 0..COMMITS_MAX {
                let commit = commit(&stream);
                match store.append(commit.clone()).await {
                    Ok(committed) => told.extend(Report::acknowledged(&commit, Some(&committed))),
                    Err(error) => return (told, error),
                }
            }
            panic!("{COMMITS_MAX} commits fit on a small disk")
        });
    }
    let mut refused = vec![];
    while let Some(written) = writing.join_next().await {
        let (told, error) = written.unwrap();
        told.iter().for_each(|report| ledger.take(report));
        refused.push(error);
    }
    refused
}

fn assert_clear(error: &str, file: &Path) {
    for part in [file.to_str().unwrap(), "full", "make room"] {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

/// What is in the log is exactly what was acknowledged: nothing lost, nothing left of what was refused.
async fn assert_exact(store: &SqliteStore, ledger: &Ledger) {
    let log = whole_log(store).await;
    assert_eq!((log.len(), disorder(&log)), (ledger.events(), vec![]));
    assert_eq!(ledger.problems(store).await, Vec::<String>::new());
}

/// The control: had the store acknowledged what it refuses, the ledger would miss it.
async fn assert_refused_is_missed(store: &SqliteStore, acknowledged: &mut Ledger) {
    let stream = StreamId::new("note", 0).unwrap();
    for _ in 0..COMMITS_MAX {
        let commit = commit(&stream);
        if let Ok(committed) = store.append(commit.clone()).await {
            // Many at once were refused, one alone still found room.
            Report::acknowledged(&commit, Some(&committed))
                .iter()
                .for_each(|report| acknowledged.take(report));
            continue;
        }
        let mut wrong = Ledger::default();
        Report::acknowledged(&commit, None).iter().for_each(|report| wrong.take(report));
        let problems = wrong.problems(store).await;
        let lost = problems.iter().filter(|problem| problem.ends_with("is lost")).count();
        return assert_eq!((problems.len(), lost), (2, 2), "{problems:?}");
    }
    panic!("{COMMITS_MAX} commits fit on a full disk")
}

async fn full_disk_of(mebibytes: u32) {
    let Some(disk) = SmallDisk::mount(mebibytes, "a full disk") else { return };
    let (log, mut ledger) = (disk.file("shop.db"), Ledger::default());
    let ballast = disk.file("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let store = Arc::new(SqliteStore::open(&SqliteOptions::new(&log)).unwrap());
    for round in ["at first", "after room was made"] {
        let before = ledger.events();
        for error in append_until_refused(&store, &mut ledger).await {
            assert_clear(&error_text(&error), &log);
        }
        assert!(ledger.events() > before, "nothing could be appended {round}");
        assert_refused_is_missed(&store, &mut ledger).await;
        // Reading goes on while the disk is full.
        assert_exact(&store, &ledger).await;
        assert_eq!(store.streams(&StreamFilter::all(), None, PageLimit::MAX).await.unwrap().len(), WRITERS);
        let stream = StreamId::new("note", 0).unwrap();
        assert!(!store.read(&stream, VersionRange::ALL, PageLimit::ONE).await.unwrap().is_empty());
        println!("{mebibytes} MiB, {round}: {} events in all", ledger.events());
        if ballast.exists() {
            std::fs::remove_file(&ballast).unwrap();
        }
    }
    let ballast = disk.fill();
    drop(store);
    // A full disk may hold no room for what opening needs; then that is said.
    match SqliteStore::open(&SqliteOptions::new(&log)) {
        Ok(store) => assert_exact(&store, &ledger).await,
        Err(error) => assert_clear(&error_text(&error), &log),
    }
    std::fs::remove_file(&ballast).unwrap();
    assert_exact(&SqliteStore::open(&SqliteOptions::new(&log)).unwrap(), &ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_appends_and_keeps_what_was_acknowledged() {
    full_disk_of(4).await;
}

/// Large enough that the log is copied from the write-ahead log to its file several times before.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_does_the_same_when_the_file_has_grown() {
    full_disk_of(16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_on_a_full_disk_is_refused_clearly() {
    let Some(disk) = SmallDisk::mount(1, "a new database on a full disk") else { return };
    let (log, views) = (disk.file("shop.db"), disk.file("shop-views.db"));
    let ballast = disk.fill();
    assert_clear(&error_text(&SqliteStore::open(&SqliteOptions::new(&log)).err().unwrap()), &log);
    assert_clear(&error_text(&SqliteDocuments::open(&views).err().unwrap()), &views);
    std::fs::remove_file(&ballast).unwrap();
    SqliteStore::open(&SqliteOptions::new(&log)).unwrap();
    SqliteDocuments::open(&views).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_on_a_full_disk_stand_still_and_go_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(16, "read models on a full disk") else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&SqliteOptions::new(dir.path().join("shop.db"))).unwrap());
    let documents = Arc::new(SqliteDocuments::open(disk.file("shop-views.db")).unwrap());
    let engine = Arc::new(Engine::new(store.clone()));
    let shop = Shop { store, documents: documents.clone(), postgres: None, engine };
    let start = chrono::DateTime::UNIX_EPOCH;
    let orders: Vec<_> =
        Burst::new(BurstTerms { orders: 600, skus: 9, seed: 3, start }).unwrap().orders().collect();
    for (number, command) in &orders[..100] {
        shop.place(number, command).await.unwrap();
    }
    for model in &mut shop.read_models(&LeaseTerms::default()) {
        catch_up(&*shop.store, &mut **model).await.unwrap();
    }
    let ballast = disk.fill();
    for (number, command) in &orders[100..] {
        shop.place(number, command).await.unwrap();
    }
    let mut full = 0;
    for model in &mut shop.read_models(&LeaseTerms::default()) {
        match catch_up(&*shop.store, &mut **model).await {
            Ok(_) => {}
            Err(error) => {
                let text = error_text(&error);
                assert!(text.contains("full"), "{text}");
                assert!(!matches!(error, SubscriberError::Poison { .. }), "{text}");
                full += 1;
            }
        }
    }
    assert!(full > 0, "the disk was not full");
    // Reading goes on, and shows whole pages.
    let (live, _) = documents.live("orders").await.unwrap().unwrap();
    let shown = documents.documents(&live, None, PageLimit::MAX).await.unwrap().len();
    assert!(shown == 100 || shown == 600, "{shown}");
    println!("{full} of 5 read models met the full disk");
    std::fs::remove_file(&ballast).unwrap();
    for model in &mut shop.read_models(&LeaseTerms::default()) {
        catch_up(&*shop.store, &mut **model).await.unwrap();
    }
    assert_eq!(documents.documents(&live, None, PageLimit::MAX).await.unwrap().len(), 600);
    assert_same_as_replayed(&shop).await;
}
