//! What other processes hear of a burst of appends.

use crate::place::{Place, at, event, number, refusal, stream, to};
use annals::{AppendError, Commit, EventStore, Fingerprint, Json, Position, SnapshotStore};
use annals_postgres::{CONNECTIONS_MAX, HEAD_POLL, NOTICE_WAIT_MAX};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgListener};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::{JoinHandle, JoinSet},
};

/// Not all of them are told, but the last one is: readers do not wait until they ask by themselves.
///
/// Control: without `tell_others` in `Writer::next`, one of the bursts is heard of only when the log is asked.
#[tokio::test]
async fn the_last_append_of_a_burst_is_told_to_other_processes() {
    const BURSTS: u64 = 8;
    const APPENDS: u64 = 5;
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    let mut head = other.head();
    for burst in 0..BURSTS {
        for n in 0..APPENDS {
            store.append(to("order-1", at(burst * APPENDS + n), 1)).await.unwrap();
        }
        let last = Position::new((burst + 1) * APPENDS);
        let is_heard = tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head >= last)).await.is_ok();
        assert!(is_heard, "nobody told of position {last} within {:?}", HEAD_POLL / 2);
    }
}

/// Whose connections are cut listens again, and does not only ask.
///
/// Control: with `self.channel = None` where the listener is lost (in `Watcher::run`), nobody listens any more.
#[tokio::test]
async fn whoever_was_cut_off_hears_again() {
    const APPENDS: u64 = 8;
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    let cut_off = listening(&place, &[]).await;
    place.cut().await;
    listening(&place, &cut_off).await;
    let mut head = other.head();
    for version in 0..APPENDS {
        let commit = to("order-1", at(version), 1);
        // The first one may find that its connection is gone.
        let position = loop {
            match store.append(commit.clone()).await {
                Ok(done) => break done.position,
                Err(AppendError::Store(error)) if error.is_transient() => {}
                Err(error) => panic!("{error}"),
            }
        };
        let is_heard =
            tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head >= position)).await.is_ok();
        assert!(is_heard, "nobody told of position {position} within {:?}", HEAD_POLL / 2);
    }
}

/// Waits until both stores listen, on other connections than those; which ones.
async fn listening(place: &Place, others: &[i32]) -> Vec<i32> {
    let mut raw = place.raw().await;
    let listens = "SELECT pid FROM pg_stat_activity \
                   WHERE application_name = $1 AND query LIKE '-- listens.sql:%' AND pid <> ALL ($2)";
    let both = async {
        loop {
            let asked = sqlx::query_scalar(listens).bind(format!("annals {}", place.schema)).bind(others);
            let pids: Vec<i32> = asked.fetch_all(&mut raw).await.unwrap();
            if pids.len() == 2 {
                return pids;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(10 * HEAD_POLL, both).await.expect("both listen")
}

/// One event or several, with metadata of their own or not, on streams that exist or begin: whichever statement tells, it
/// tells where a commit ends, and each of them does.
///
/// Control: with the first row of a statement told in `rows_told.sql`, a position within a commit is told; with a
/// statement that does not tell in place of one that does, in `next.rs`, nobody tells of such commits.
#[tokio::test]
async fn every_statement_tells_where_a_commit_ends() {
    const ROUNDS_MAX: u64 = 400;
    const EVENTS: u64 = 14;
    // More often than by chance, between two appends that are a millisecond apart.
    const OFTEN: u32 = 5;
    let Some(place) = Place::new() else { return };
    // Beside another one, which is told more often than a program that is not ours.
    let (store, _other) = (place.store().await, place.store().await);
    let (mut heard, listening) = program_that_listens(&place).await;
    // Where the six commits of a round end, and which of them were told of behind the first round: into a log without
    // events another statement writes.
    let mut told = BTreeMap::from([1, 2, 5, 8, 11, 0].map(|end| (end, 0)));
    for round in 0..ROUNDS_MAX {
        for (name, count, says) in [("one", 1, alike as Says), ("several", 3, alike), ("apart", 3, apart)] {
            let begins = (format!("order-{name}-{round}"), at(0));
            let goes_on = (format!("order-{name}"), at(round * count));
            for (name, expected) in [begins, goes_on] {
                let events = (0..count).map(|n| event().with_metadata(says(n)));
                store.append(Commit::to(stream(&name), expected, events)).await.unwrap();
            }
        }
        while let Ok(position) = heard.try_recv() {
            let often = told.get_mut(&(position % EVENTS));
            let often = often.unwrap_or_else(|| panic!("position {position} was told, where no commit ends"));
            *often += u32::from(position > EVENTS);
        }
        if told.values().all(|often| *often >= OFTEN) {
            break;
        }
    }
    listening.abort();
    let is_told = told.values().all(|often| *often >= OFTEN);
    assert!(is_told, "where a commit ends in {EVENTS} events, and how often that was told: {told:?}");
    let torn = "SELECT count(*) FROM (SELECT FROM log GROUP BY position - commit_index \
                HAVING count(DISTINCT recorded_at) > 1 OR count(*) <> max(commit_size)) t";
    assert_eq!(number(&mut place.raw().await, torn).await, 0, "the events of a commit have one time");
}

/// The metadata of an event of a commit.
type Says = fn(u64) -> Json;

fn alike(_: u64) -> Json {
    Json::of(&serde_json::json!({ "by": "command" })).unwrap()
}

fn apart(event: u64) -> Json {
    Json::of(&serde_json::json!({ "by": event })).unwrap()
}

/// A program that is not ours, and all that it hears.
async fn program_that_listens(place: &Place) -> (UnboundedReceiver<u64>, JoinHandle<()>) {
    let channel = "SELECT 'annals_' || 'log'::regclass::oid";
    let channel: String = sqlx::query(channel).fetch_one(&mut place.raw().await).await.unwrap().get(0);
    let url = place.url();
    let mut listener = PgListener::connect(url.split('?').next().unwrap()).await.unwrap();
    listener.listen(&channel).await.unwrap();
    let (tell, heard) = unbounded_channel();
    let listening = tokio::spawn(async move {
        while let Ok(told) = listener.recv().await {
            // Others say that they listen.
            let position = told.payload().parse();
            let _ = position.map(|position| tell.send(position));
        }
    });
    (heard, listening)
}

/// A store that is alone spares its appends most notifications, until another one listens, and again when that is gone.
///
/// Controls: with `false` for `is_alone` in `Watcher::run` it never tells as seldom; with `true`, never more often.
#[tokio::test]
async fn a_store_that_is_alone_tells_as_seldom_as_may_be() {
    const WINDOW: Duration = NOTICE_WAIT_MAX.saturating_mul(5);
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let (mut heard, listening) = program_that_listens(&place).await;
    let mut version = 0;
    let mut other = None;
    for is_alone in [true, false, true] {
        if !is_alone {
            other = Some(place.store().await);
        } else {
            drop(other.take());
        }
        let as_told = async {
            loop {
                let began = Instant::now();
                while heard.try_recv().is_ok() {}
                while began.elapsed() < WINDOW {
                    store.append(to("order-1", at(version), 1)).await.unwrap();
                    version += 1;
                }
                // One that was on its way, and one that begins the window.
                let seldom = began.elapsed().as_millis() / NOTICE_WAIT_MAX.as_millis() + 2;
                let told = std::iter::from_fn(|| heard.try_recv().ok()).count() as u128;
                if (told <= seldom) == is_alone {
                    return;
                }
            }
        };
        let changed = tokio::time::timeout(10 * HEAD_POLL, as_told).await;
        assert!(changed.is_ok(), "alone: {is_alone}, and told otherwise for {:?}", 10 * HEAD_POLL);
    }
    listening.abort();
}

/// A notification needs no right at all; it is a hint to look, and what it says is not believed. What comes behind it
/// is heard as soon as ever.
///
/// Control: where `Watcher::hear` tells the head of the payload, the log is told to end at what was made up.
#[tokio::test]
async fn a_forged_notification_moves_no_head() {
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    store.append(to("order-1", at(0), 1)).await.unwrap();
    let oid = "SELECT 'NOTIFY \"annals_' || 'log'::regclass::oid || '\", '";
    let row = sqlx::query(oid).fetch_one(&mut place.raw().await).await.unwrap();
    let notify: String = row.get(0);
    let nobody = format!("nobody_{}", uuid::Uuid::now_v7().simple());
    let make = format!("CREATE ROLE {nobody} LOGIN");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut place.raw().await).await.unwrap();
    let url = place.url_as(&nobody);
    let mut forger = PgConnection::connect(url.split('?').next().unwrap()).await.unwrap();
    let sql = format!("SELECT FROM {}.log", place.schema);
    assert!(refusal(&mut forger, &sql).await.contains("permission denied"));

    let mut head = other.head();
    for round in 1..=20 {
        for forged in ["'9223372036854775807'", "'18446744073709551615'", "'1000'", "'none'", "'-1'", "''"] {
            let forged = format!("{notify}{forged}");
            sqlx::raw_sql(AssertSqlSafe(forged)).execute(&mut forger).await.unwrap();
        }
        store.append(to("order-1", at(round), 1)).await.unwrap();
        let told = tokio::time::timeout(HEAD_POLL / 2, until(&mut head, Position::new(round + 1))).await;
        assert!(told.is_ok(), "not heard of position {} within {:?}", round + 1, HEAD_POLL / 2);
    }
    forger.close().await.unwrap();
    let drop = format!("DROP ROLE {nobody}");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut place.raw().await).await.unwrap();
}

/// Eight reads stand still, so no further one is begun; what another process appends is heard of all the same.
///
/// Control: with the connections of the readers for `Head::watching`, nothing is heard until one of them is done.
#[tokio::test]
async fn reads_that_take_long_delay_no_wake_up() {
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, Arc::new(place.store().await));
    store.append(to("order-1", at(0), 1)).await.unwrap();
    let mut head = other.head();
    head.wait_for(|head| *head == Position::new(1)).await.unwrap();
    let (mut raw, mut holds) = (place.raw().await, place.raw().await);
    sqlx::raw_sql("BEGIN; LOCK TABLE snapshots").execute(&mut holds).await.unwrap();
    let mut reading = JoinSet::new();
    for _ in 0..CONNECTIONS_MAX {
        let other = other.clone();
        reading.spawn(async move { other.snapshot(&stream("order-1"), Fingerprint([0; 16])).await });
    }
    let name = format!("annals {}", place.schema);
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND wait_event_type = 'Lock'"
    );
    while number(&mut raw, &waiting).await < CONNECTIONS_MAX as i64 {
        tokio::task::yield_now().await;
    }
    store.append(to("order-1", at(1), 1)).await.unwrap();
    let is_heard =
        tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head == Position::new(2))).await.is_ok();
    assert!(is_heard, "not heard of within {:?}", HEAD_POLL / 2);
    sqlx::raw_sql("COMMIT").execute(&mut holds).await.unwrap();
    assert!(reading.join_all().await.iter().all(Result::is_ok));
}

/// Waits for `last`, which nothing that is told on the way lies behind.
async fn until(head: &mut tokio::sync::watch::Receiver<Position>, last: Position) {
    loop {
        let told = *head.borrow_and_update();
        assert!(told <= last, "{told} was told, where the log ends at {last}");
        if told == last {
            return;
        }
        head.changed().await.unwrap();
    }
}
