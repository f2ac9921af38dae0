use super::*;
use crate::{Synchronous, log::LOG_FILE, open::open_writer};
use annals::{
    EventData, EventId, Expected, Fingerprint, Json, Snapshot,
    batch::{self, AppendQueue},
};
use rusqlite::ffi;
use std::error::Error;

/// A writer that no thread runs, so that a test decides what stands in a batch.
struct Bench {
    dir: tempfile::TempDir,
    writer: Writer,
    appends: Arc<AppendQueue<Keep>>,
    intake: Intake<Keep>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        let connection = open_writer(&path, Synchronous::Full, &LOG_FILE).unwrap();
        let writer = Writer::new(connection, path, Arc::new(watch::Sender::default())).unwrap();
        let (appends, intake) = batch::queue();
        Self { dir, writer, appends: Arc::new(appends), intake }
    }

    fn other(&self) -> Connection {
        Connection::open(self.dir.path().join("shop.db")).unwrap()
    }

    /// Carries `commits` out as one batch and says what became of each.
    async fn batch(&mut self, commits: impl IntoIterator<Item = Commit>) -> Vec<String> {
        for (count, commit) in commits.into_iter().enumerate() {
            let appends = self.appends.clone();
            tokio::spawn(async move { appends.append(commit).await });
            while self.intake.waiting() <= count {
                tokio::task::yield_now().await;
            }
        }
        let batch = self.intake.next().await.unwrap();
        self.writer.carry_out(&batch.appends, batch.asides).into_iter().map(said).collect()
    }

    fn events(&self) -> i64 {
        self.other().query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap()
    }

    fn batches(&self) -> i64 {
        self.other().query_row("SELECT count(DISTINCT recorded_at) FROM log", [], |row| row.get(0)).unwrap()
    }
}

fn said(outcome: Outcome) -> String {
    match outcome {
        Ok(Committed { position, repeated, .. }) => {
            format!("@{position}{}", if repeated { " again" } else { "" })
        }
        Err(AppendError::DuplicateId { .. }) => "duplicate".into(),
        Err(AppendError::Store(error)) => error.source().unwrap().to_string(),
        Err(error) => error.to_string(),
    }
}

fn event(payload_bytes: usize) -> EventData {
    EventData::raw(EventId::random(), "Counted", 1, Json::stored(format!("{:?}", "x".repeat(payload_bytes))))
}

fn to(name: &str, expected: Expected, event: EventData) -> Commit {
    Commit::to(name.parse().unwrap(), expected, [event])
}

fn at(version: u64) -> Expected {
    Expected::Exactly(Version::new(version))
}

#[tokio::test]
async fn one_transaction_holds_a_whole_chain() {
    let mut bench = Bench::new();
    let chain = (0..50).map(|version| to("order-1", at(version), event(9)));
    let expected: Vec<_> = (1..=50).map(|position| format!("@{position}")).collect();
    assert_eq!(bench.batch(chain).await, expected);
    assert_eq!((bench.events(), bench.batches()), (50, 1));
}

/// The second way a batch can go: an id of it is in the log. Only its own append hears of that. Without the second
/// attempt in `carry_out` all four are refused.
#[tokio::test]
async fn a_repeat_spoils_nothing_for_its_neighbours() {
    let mut bench = Bench::new();
    let (first, other) = (to("order-1", Expected::NEW, event(9)), event(9));
    bench.batch([first.clone(), to("order-2", Expected::NEW, other.clone())]).await;
    let outcomes = bench
        .batch([
            to("order-3", Expected::NEW, event(9)),
            // It decided anew at a later version, which holds.
            Commit::to("order-1".parse().unwrap(), at(1), first.writes()[0].events.clone()),
            to("order-1", at(1), other),
            to("order-1", at(1), event(9)),
        ])
        .await;
    assert_eq!(outcomes, ["@3", "@1 again", "duplicate", "@4"]);
    assert_eq!(bench.events(), 4);
}

#[tokio::test]
async fn a_repeat_is_told_before_a_conflict_and_a_taken_id_too() {
    let mut bench = Bench::new();
    let (first, other) = (to("order-1", Expected::NEW, event(9)), event(9));
    bench.batch([first.clone(), to("order-2", Expected::NEW, other.clone())]).await;
    let outcomes = bench.batch([first, to("order-1", at(7), other), to("order-1", at(7), event(9))]).await;
    assert_eq!(outcomes, ["@1 again", "duplicate", "order-1 is at version 1, not at 7"]);
}

/// New types and streams of a transaction that was taken back are not remembered: the rows would name nothing.
/// Without forgetting the types in `take_back` the reference to the type is refused at the commit.
#[tokio::test]
async fn what_was_taken_back_is_forgotten() {
    let mut bench = Bench::new();
    bench.writer.connection.pragma_update(None, "max_page_count", 40).unwrap();
    let large = EventData::raw(EventId::random(), "Weighed", 1, event(400_000).payload);
    let refused = bench.batch([to("parcel-1", Expected::NEW, large)]).await;
    assert!(refused[0].contains("the disk is full: make room, then append again"), "{refused:?}");
    let small = EventData::raw(EventId::random(), "Weighed", 1, Json::empty());
    assert_eq!(bench.batch([to("parcel-1", Expected::NEW, small)]).await, ["@1"]);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_appending_goes_on_when_there_is_room() {
    let mut bench = Bench::new();
    let snapshot = Snapshot {
        of: Fingerprint([1; 16]),
        version: Version::new(1),
        position: Position::new(1),
        state: event(100_000).payload,
    };
    let appends = bench.appends.clone();
    let keeping = tokio::spawn(async move {
        let (answer, answered) = tokio::sync::oneshot::channel();
        appends.aside(Keep::new("order-1".parse().unwrap(), snapshot, answer)).await.unwrap();
        answered.await.unwrap()
    });
    let batch = bench.intake.next().await.unwrap();
    bench.writer.carry_out(&batch.appends, batch.asides);
    keeping.await.unwrap().unwrap();
    bench.writer.connection.pragma_update(None, "max_page_count", 60).unwrap();

    let mut acknowledged = 0;
    let refused = loop {
        let said = bench.batch([to("order-1", at(acknowledged), event(4_000))]).await.remove(0);
        if !said.starts_with('@') {
            break said;
        }
        acknowledged += 1;
    };
    assert!(refused.contains("shop.db") && refused.contains("the disk is full"), "{refused}");
    assert!(acknowledged > 0);
    assert_eq!(bench.events(), acknowledged as i64);
    bench.other().execute_batch("DELETE FROM snapshots").unwrap();
    let next = format!("@{}", acknowledged + 1);
    assert_eq!(bench.batch([to("order-1", at(acknowledged), event(4_000))]).await, [next]);
}

/// Without `poisoned` the second append is acknowledged, though nobody knows what the disk holds.
#[tokio::test]
async fn after_a_failed_flush_nothing_is_appended_until_the_store_is_opened_anew() {
    let mut bench = Bench::new();
    bench.batch([to("order-1", Expected::NEW, event(9))]).await;
    let fsync = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None);
    bench.writer.refuse(fsync, &[], vec![]);
    for _ in 0..2 {
        let refused = bench.batch([to("order-1", at(1), event(9))]).await;
        assert!(refused[0].contains("open the store again"), "{refused:?}");
    }
    assert_eq!(bench.events(), 1);
}
