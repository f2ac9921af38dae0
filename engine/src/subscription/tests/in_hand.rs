//! What happens while a page is in hand: the next one is asked for, and a stop lets it be finished.

use super::*;

/// Does something in the middle of each page.
struct Meanwhile<W> {
    witness: Witness,
    what: W,
}

#[async_trait]
trait What: Send {
    async fn what(&mut self, page: &LogPage);
}

#[async_trait]
impl<W: What> Subscriber for Meanwhile<W> {
    fn name(&self) -> &str {
        self.witness.name()
    }

    fn filter(&self) -> LogFilter {
        self.witness.filter()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.witness.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.what.what(page).await;
        self.witness.handle(page).await
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.witness.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.witness.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.witness.report(failure).await
    }
}

/// Asks to stop, and takes its time then.
struct Stops(CancellationToken);

#[async_trait]
impl What for Stops {
    async fn what(&mut self, _: &LogPage) {
        self.0.cancel();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

/// Broken on purpose: with `hand_over` raced against `stop`, nothing of the page in hand is handled; without the look
/// at `stop` behind it, the page that was read meanwhile is handled too.
#[tokio::test]
async fn a_stop_lets_the_page_in_hand_be_finished_and_begins_no_other() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let (witness, stop) = (Witness::default(), CancellationToken::new());
    let mut stopped = Meanwhile { witness: witness.clone(), what: Stops(stop.clone()) };
    assert_eq!(follow(&*store, &mut stopped, &stop).await.unwrap(), Position::new(1_000));
    assert_eq!(witness.seen().positions, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(counts(&witness), (1, 1), "and the lease is given back");
}

/// Waits in each page until the store was asked for what lies behind it.
struct UntilAsked {
    asked: watch::Receiver<Position>,
    head: Position,
}

#[async_trait]
impl What for UntilAsked {
    async fn what(&mut self, page: &LogPage) {
        if page.looked < self.head {
            self.asked.wait_for(|after| *after >= page.looked).await.unwrap();
        }
    }
}

/// Tells behind which position it was last asked for a page.
struct Tells(Arc<MemoryStore>, watch::Sender<Position>);

#[async_trait]
impl EventStore for Tells {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.0.append(commit).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.0.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.0.streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        self.1.send_replace(after);
        self.0.read_log(after, limit, filter).await
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        self.0.committed(stream, first_event).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.0.head()
    }
}

/// How long it may stand still before it is taken for stuck; the clock of the test jumps there.
const STUCK: Duration = Duration::from_secs(3_600);

/// Broken on purpose: with the page handled before the next is read, the first page waits for ever.
#[tokio::test(start_paused = true)]
async fn the_next_page_is_asked_for_while_one_is_handled() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let store = Tells(store, watch::Sender::new(Position::START));
    let what = UntilAsked { asked: store.1.subscribe(), head: Position::new(2_500) };
    let mut subscriber = Meanwhile { witness: Witness::default(), what };
    let done = tokio::time::timeout(STUCK, catch_up(&store, &mut subscriber)).await;
    assert_eq!(done.expect("not stuck").unwrap(), Position::new(2_500));
    assert_eq!(counts(&subscriber.witness), (3, 1));
}
