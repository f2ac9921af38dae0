//! Several instances write and read one file at the same time.

use super::*;
use tokio::task::JoinSet;

/// A program that dies within its transaction leaves nothing; the control commits, and leaves all of it.
#[tokio::test]
async fn a_page_that_was_cut_off_leaves_nothing() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let write = "BEGIN IMMEDIATE; UPDATE generations SET checkpoint = 5;
        INSERT INTO documents (generation, key, body) VALUES (1, 'half', '1')";

    let dying = file.raw();
    dying.execute_batch(write).unwrap();
    drop(dying);
    assert!(keys(&store, &lease.subscriber).await.is_empty());
    assert_eq!(checkpoint(&store, &lease.subscriber).await, 0);
    store.commit(&step(&lease, 0, 3), puts([("whole", "1")])).await.unwrap();

    let control = file.raw();
    control.execute_batch(write).unwrap();
    control.execute_batch("COMMIT").unwrap();
    assert_eq!(keys(&store, &lease.subscriber).await, ["half", "whole"]);
    assert_eq!(checkpoint(&store, &lease.subscriber).await, 5);
}

/// Readers see the last whole page while somebody writes. The control is the writer, who has to wait.
#[tokio::test]
async fn a_writer_delays_no_reader() {
    let file = File::new();
    let store = Arc::new(file.open());
    let lease = held(&store, "orders").await;
    store.commit(&step(&lease, 0, 3), puts([("a", "1")])).await.unwrap();

    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM documents").unwrap();
    assert_eq!(keys(&store, &lease.subscriber).await, ["a"]);
    assert!(store.load(&lease.subscriber, &["a".into()]).await.unwrap()[0].document.is_some());
    assert!(store.parked(&lease.subscriber, None, None, PageLimit::ONE).await.unwrap().is_empty());
    assert_eq!(store.compare(&lease.subscriber, &lease.subscriber).await.unwrap().documents, 1);

    let (writer, next) = (store.clone(), step(&lease, 3, 4));
    let waiting = tokio::spawn(async move { writer.commit(&next, puts([("b", "1")])).await });
    assert_eq!(checkpoint(&store, &lease.subscriber).await, 3);
    other.execute_batch("ROLLBACK").unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(keys(&store, &lease.subscriber).await, ["a", "b"]);
}

/// Broken on purpose by a busy wait of zero: then several of these pages failed with "database is locked", as the
/// control does, which does not wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_write_at_the_same_time_wait_for_each_other() {
    let file = File::new();
    let mut runners = JoinSet::new();
    for runner in 0..8 {
        let store = file.open();
        runners.spawn(async move {
            let lease = held(&store, &format!("runner-{runner}")).await;
            for at in 0..50 {
                let page = puts((0..20).map(|n| (format!("{at}-{n}"), "{}")));
                store.commit(&step(&lease, at, at + 1), page).await.unwrap();
            }
            keys(&store, &lease.subscriber).await.len()
        });
    }
    assert_eq!(runners.join_all().await, [1_000; 8]);

    let (holds, control) = (file.raw(), file.raw());
    control.busy_timeout(Duration::ZERO).unwrap();
    holds.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = control.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
}

#[tokio::test]
async fn whoever_waits_learns_of_each_page() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let mut moved = store.moved();
    moved.mark_unchanged();
    store.advance(&step(&lease, 0, 1)).await.unwrap();
    assert!(moved.has_changed().unwrap());
    moved.mark_unchanged();
    store.advance(&step(&lease, 0, 1)).await.unwrap_err();
    assert!(!moved.has_changed().unwrap());
}

#[tokio::test]
async fn a_file_that_another_program_holds_is_named_with_the_next_step() {
    let file = File::new();
    let (documents, other) = (file.open(), file.raw());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = annals::error_text(&documents.open("orders", 1).await.unwrap_err());
    assert!(told.contains(".db: ") && told.contains("end that program, or try again later"), "{told}");
    other.execute_batch("ROLLBACK").unwrap();
    documents.open("orders", 1).await.unwrap();
}
