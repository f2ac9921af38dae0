//! C6 at its hardest: many writers, some of whom hold their transaction open and take it back, and a reader behind
//! them.
#![expect(clippy::print_stdout, reason = "libtest shows the figures with --nocapture")]

use crate::place::{Place, number, to};
use annals::{EventId, EventStore, Expected, LogFilter, PageLimit, Position};
use annals_postgres::PostgresStore;
use fastrand::Rng;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Writers that append through two stores, and writers that call the append function in transactions of their own.
const STORE_WRITERS: usize = 24;
const SLOW_WRITERS: usize = 8;

/// How many commits each of them makes; the slow ones write many events in one.
const COMMITS: usize = 850;
const SLOW_COMMITS: usize = 25;
const SLOW_EVENTS: usize = 20;

/// Transactions of each writer of the controls.
const NAIVE_COMMITS: usize = 40;

async fn pause(rng: &mut Rng) {
    tokio::time::sleep(Duration::from_micros(rng.u64(0..3_000))).await;
}

/// A transaction that appends through the function, stands still, and is committed or taken back.
async fn append_slowly(connection: &mut PgConnection, writer: usize, rng: &mut Rng) -> Vec<EventId> {
    let ids: Vec<EventId> = (0..SLOW_EVENTS).map(|_| EventId::random()).collect();
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    let append = "SELECT outcome FROM append_checked(pg_postmaster_start_time(), ARRAY[$1], ARRAY[1], ARRAY[1], \
                  ARRAY[-1]::bigint[], ARRAY[$3], array_fill(1, ARRAY[$3]), $2, array_fill(1, ARRAY[$3]), \
                  array_fill('{}'::json, ARRAY[$3]), array_fill('{}'::json, ARRAY[$3]))";
    let uuids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    let query = sqlx::query(append).bind(format!("slow-{writer}")).bind(uuids).bind(SLOW_EVENTS as i32);
    let outcome: i16 = query.fetch_one(&mut *connection).await.unwrap().get(0);
    assert_eq!(outcome, 0);
    pause(rng).await;
    let kept = rng.u8(0..3) > 0;
    sqlx::raw_sql(if kept { "COMMIT" } else { "ROLLBACK" }).execute(connection).await.unwrap();
    if kept { ids } else { vec![] }
}

/// What a reader sees who asks only for what lies behind the last position that it has looked at.
async fn follow(store: PostgresStore, ended: Arc<AtomicBool>) -> Vec<(Position, EventId)> {
    let (mut seen, mut at) = (vec![], Position::START);
    loop {
        let is_last = ended.load(Ordering::SeqCst);
        let page = store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await.unwrap();
        if page.looked == at && is_last {
            return seen;
        }
        at = page.looked;
        seen.extend(page.events.iter().map(|event| (event.position, event.id)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_behind_32_writers_misses_nothing() {
    let Some(place) = Place::new() else { return };
    let place = Arc::new(place);
    let stores = [Arc::new(place.store().await), Arc::new(place.store().await)];
    // The type that the slow writers name by its number.
    stores[0].append(to("first-1", Expected::NEW, 1)).await.unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(follow(place.store().await, ended.clone()));
    let mut writers = vec![];
    for writer in 0..STORE_WRITERS {
        let (store, mut rng) = (stores[writer % 2].clone(), Rng::new());
        writers.push(tokio::spawn(async move {
            let mut ids = vec![];
            for _ in 0..COMMITS {
                let commit = to(&format!("order-{writer}"), Expected::Any, 1);
                ids.extend(commit.writes().iter().flat_map(|write| &write.events).map(|event| event.id));
                store.append(commit).await.unwrap();
                if rng.u8(0..64) == 0 {
                    pause(&mut rng).await;
                }
            }
            ids
        }));
    }
    for writer in 0..SLOW_WRITERS {
        let (place, mut rng) = (place.clone(), Rng::new());
        writers.push(tokio::spawn(async move {
            let (mut connection, mut ids) = (place.raw().await, vec![]);
            for _ in 0..SLOW_COMMITS {
                ids.extend(append_slowly(&mut connection, writer, &mut rng).await);
                pause(&mut rng).await;
            }
            ids
        }));
    }
    let mut acknowledged = vec![];
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    ended.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    let first = 1;
    assert_eq!(seen.len(), acknowledged.len() + first, "none missed, none twice, none that was taken back");
    let positions: Vec<u64> = seen.iter().map(|(position, _)| position.get()).collect();
    assert_eq!(positions, (1..=seen.len() as u64).collect::<Vec<_>>(), "in order, without a gap");
    let places: HashMap<EventId, Position> = seen.iter().map(|(position, id)| (*id, *position)).collect();
    assert!(acknowledged.iter().all(|id| places.contains_key(id)));
    assert!(seen.len() >= 20_000, "{} events", seen.len());
    println!("{} events, 0 missed, 0 twice, 0 out of order", seen.len());
}

/// How a reader of the controls asks for more. `$1` is the last position that it has.
const BY_SEQUENCE: &str = "SELECT position FROM naive WHERE position > $1 ORDER BY position";
const BY_SNAPSHOT: &str = "SELECT position FROM naive WHERE position > $1 \
                           AND by < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY position";

/// The same writers on a table whose positions come from a sequence; how many events a reader misses.
async fn missed(place: Arc<Place>, read: &'static str) -> i64 {
    let table = format!(
        "CREATE SCHEMA {schema}; CREATE TABLE {schema}.naive(position bigserial PRIMARY KEY, \
         by xid8 NOT NULL DEFAULT pg_current_xact_id())",
        schema = place.schema
    );
    sqlx::raw_sql(AssertSqlSafe(table)).execute(&mut place.raw().await).await.unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let reader = {
        let (place, ended) = (place.clone(), ended.clone());
        tokio::spawn(async move {
            let (mut connection, mut at, mut seen) = (place.raw().await, 0_i64, 0);
            loop {
                let is_last = ended.load(Ordering::SeqCst);
                let rows = sqlx::query(read).bind(at).fetch_all(&mut connection).await.unwrap();
                if rows.is_empty() && is_last {
                    return seen;
                }
                seen += rows.len() as i64;
                at = rows.last().map_or(at, |row| row.get(0));
            }
        })
    };
    let writers = (0..STORE_WRITERS + SLOW_WRITERS).map(|_| {
        let (place, mut rng) = (place.clone(), Rng::new());
        tokio::spawn(async move {
            let mut connection = place.raw().await;
            for _ in 0..NAIVE_COMMITS {
                sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
                for _ in 0..2 {
                    sqlx::raw_sql("INSERT INTO naive DEFAULT VALUES").execute(&mut connection).await.unwrap();
                    pause(&mut rng).await;
                }
                let end = if rng.u8(0..3) > 0 { "COMMIT" } else { "ROLLBACK" };
                sqlx::raw_sql(end).execute(&mut connection).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    let written = number(&mut place.raw().await, "SELECT count(*) FROM naive").await;
    println!("{written} written, {} missed", written - seen);
    written - seen
}

/// Control: positions from a sequence, read without more, are missed when they are committed late.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_a_plain_sequence_misses_events() {
    let Some(place) = Place::new() else { return };
    assert!(missed(Arc::new(place), BY_SEQUENCE).await > 0);
}

/// Control: nor does it help to wait for older transactions, when positions and transactions begin in another order.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_finished_transactions_by_position_misses_events() {
    let Some(place) = Place::new() else { return };
    assert!(missed(Arc::new(place), BY_SNAPSHOT).await > 0);
}
