//! What a store tells of its head, and is not so.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::{sync::watch, task::JoinHandle};

/// Tells the head that it is told to, and counts how often it is read. Its log may be changed for another.
struct Teller {
    log: Mutex<Arc<dyn EventStore>>,
    told: watch::Sender<Position>,
    reads: AtomicU64,
}

impl Teller {
    fn log(&self) -> Arc<dyn EventStore> {
        self.log.lock().unwrap().clone()
    }
}

#[async_trait]
impl EventStore for Teller {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.log().append(commit).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.log().read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.log().streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.log().read_log(after, limit, filter).await
    }

    async fn committed(&self, stream: &StreamId, first: EventId) -> Result<Option<Committed>, StoreError> {
        self.log().committed(stream, first).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.told.subscribe()
    }
}

type Following = JoinHandle<Result<Position, SubscriberError>>;

/// A log of five events that tells so, and a witness that follows it.
async fn following() -> (Arc<Teller>, Witness, CancellationToken, Following) {
    let (log, _) = shop();
    orders(&*log, 0..5).await;
    let told = watch::Sender::new(Position::new(5));
    let store = Arc::new(Teller { log: Mutex::new(log), told, reads: AtomicU64::new(0) });
    let (witness, stop) = (Witness::default(), CancellationToken::new());
    let task = {
        let (store, mut witness, stop) = (store.clone(), witness.clone(), stop.clone());
        tokio::spawn(async move { follow(&*store, &mut witness, &stop).await })
    };
    witness.sees(|seen| seen.positions.len() >= 5).await;
    (store, witness, stop, task)
}

/// Broken on purpose: wait for `head > at` alone, and this never ends: the log is read again and again.
#[tokio::test(start_paused = true)]
async fn a_head_that_is_not_there_is_looked_for_no_more_often_than_the_subscriber_is_tended() {
    const TENDED: u64 = 10;
    let (store, witness, stop, task) = following().await;
    let before = store.reads.load(Ordering::SeqCst);
    store.told.send_replace(Position::new(1_000));
    tokio::time::sleep(TENDED as u32 * TEND_INTERVAL + TEND_INTERVAL / 2).await;
    let reads = store.reads.load(Ordering::SeqCst) - before;
    // At once, and each time it is tended: whether the log ends in front of it, and what is behind it.
    assert!(reads <= 2 * TENDED + 2, "{reads} reads");
    assert!(witness.seen().tended >= TENDED - 1, "{} times tended", witness.seen().tended);
    // What does come is seen when it is told, not when it is time to tend.
    orders(&*store, 5..6).await;
    store.told.send_replace(Position::new(1_001));
    let all = witness.sees(|seen| seen.positions.len() >= 6);
    tokio::time::timeout(TEND_INTERVAL / 2, all).await.unwrap();
    stop.cancel();
    assert_eq!(task.await.unwrap().unwrap(), Position::new(6));
}

/// Broken on purpose: wait without `check_not_ahead`, and it waits for ever.
#[tokio::test(start_paused = true)]
async fn a_log_that_loses_its_end_while_it_is_followed_is_noticed() {
    let (store, _, _, task) = following().await;
    let (restored, _) = shop();
    orders(&*restored, 0..3).await;
    *store.log.lock().unwrap() = restored;
    store.told.send_replace(Position::new(3));
    let ended = tokio::time::timeout(2 * TEND_INTERVAL, task).await.unwrap().unwrap();
    assert!(matches!(ended, Err(SubscriberError::Ahead { .. })), "{ended:?}");
}
