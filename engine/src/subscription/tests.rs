use crate::fixture::{Demand, place, shop};
use crate::*;
use async_trait::async_trait;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

mod behind;
mod in_hand;
mod told;
mod waits;

/// How long a test waits at most for a witness to be told anything.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// Remembers what it was told, and fails when it is asked to.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Seen>>, Arc<watch::Sender<()>>);

#[derive(Default)]
struct Seen {
    at: Position,
    positions: Vec<u64>,
    pages: u64,
    begun: u64,
    tended: u64,
    ended: u64,
    fail_at: Vec<u64>,
    reports: Vec<Option<String>>,
    filter: LogFilter,
}

impl Witness {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    /// Waits until what it has seen is as it should be; looks whenever it was told anything.
    async fn sees(&self, holds: impl Fn(&Seen) -> bool) {
        let mut told = self.1.subscribe();
        while !holds(&self.seen()) {
            tokio::time::timeout(SEEN_WITHIN, told.changed()).await.expect("told in time").unwrap();
        }
    }
}

#[async_trait]
impl Subscriber for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn filter(&self) -> LogFilter {
        self.seen().filter.clone()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        let mut seen = self.seen();
        seen.begun += 1;
        Ok(seen.at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let mut seen = self.seen();
        assert_eq!(page.after, seen.at, "pages follow one another without a gap");
        if let Some(index) =
            seen.fail_at.iter().position(|at| page.events.iter().any(|e| e.position.get() == *at))
        {
            seen.fail_at.remove(index);
            return Err(StoreError::transient("being tested", "as asked").into());
        }
        seen.positions.extend(page.events.iter().map(|event| event.position.get()));
        (seen.at, seen.pages) = (page.looked, seen.pages + 1);
        self.1.send_replace(());
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.seen().tended += 1;
        Ok(())
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.seen().ended += 1;
        Ok(())
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.seen().reports.push(failure.map(Into::into));
        self.1.send_replace(());
        Ok(())
    }
}

/// How many pages it got, and how often it ended.
fn counts(witness: &Witness) -> (u64, u64) {
    let seen = witness.seen();
    (seen.pages, seen.ended)
}

async fn orders(store: &dyn EventStore, numbers: std::ops::Range<u64>) {
    for number in numbers {
        place(store, number, &[("hat", 1)]).await;
    }
}

#[tokio::test]
async fn catching_up_handles_each_event_once_in_order_and_gives_the_lease_back() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let mut witness = Witness::default();
    assert_eq!(catch_up(&*store, &mut witness).await.unwrap(), Position::new(2_500));
    assert_eq!(witness.seen().positions, (1..=2_500).collect::<Vec<_>>());
    assert_eq!(counts(&witness), (3, 1));
    assert_eq!(catch_up(&*store, &mut witness).await.unwrap(), Position::new(2_500));
    assert_eq!(witness.seen().positions.len(), 2_500);
}

#[tokio::test]
async fn catching_up_to_a_position_stops_exactly_there() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let mut witness = Witness::default();
    for last in [0, 1, 999, 1_000, 1_001, 2_400] {
        assert_eq!(
            catch_up_to(&*store, &mut witness, Position::new(last)).await.unwrap(),
            Position::new(last)
        );
        assert_eq!(witness.seen().positions.len() as u64, last);
    }
}

/// Broken on purpose: begin without `check_not_ahead`, and the first new events are never handled.
#[tokio::test]
async fn a_log_that_lost_its_end_is_not_followed() {
    let (store, _) = shop();
    orders(&*store, 0..5).await;
    let mut witness = Witness::default();
    witness.seen().at = Position::new(6);
    let error = catch_up(&*store, &mut witness).await.unwrap_err();
    assert!(
        error.to_string().starts_with("witness has handled the log up to 6, but the log ends at 5"),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_filter_leaves_empty_still_moves_the_checkpoint() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let witness = Witness::default();
    witness.seen().filter = LogFilter::any_of([Source::all().category("stock")]);
    catch_up(&*store, &mut witness.clone()).await.unwrap();
    assert_eq!(counts(&witness).0, 1, "as one page");
    assert_eq!(witness.seen().at, Position::new(2_500));
}

#[tokio::test]
async fn following_sees_what_comes_until_it_is_stopped() {
    let (store, _) = shop();
    orders(&*store, 0..10).await;
    let (witness, stop) = (Witness::default(), CancellationToken::new());
    let following = {
        let (store, mut witness, stop) = (store.clone(), witness.clone(), stop.clone());
        tokio::spawn(async move { follow(&*store, &mut witness, &stop).await })
    };
    for from in 1..20 {
        orders(&*store, from * 10..from * 10 + 10).await;
        tokio::task::yield_now().await;
    }
    witness.sees(|seen| seen.positions.len() >= 200).await;
    stop.cancel();
    assert_eq!(following.await.unwrap().unwrap(), Position::new(200));
    assert_eq!(witness.seen().positions, (1..=200).collect::<Vec<_>>());
    assert_eq!(witness.seen().ended, 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_with_nothing_to_read_is_tended() {
    let (store, _) = shop();
    let (witness, stop) = (Witness::default(), CancellationToken::new());
    let following = {
        let (store, mut witness, stop) = (store.clone(), witness.clone(), stop.clone());
        tokio::spawn(async move { follow(&*store, &mut witness, &stop).await })
    };
    tokio::time::sleep(10 * TEND_INTERVAL + TEND_INTERVAL / 2).await;
    stop.cancel();
    following.await.unwrap().unwrap();
    assert_eq!(witness.seen().tended, 10);
}

/// Broken on purpose: return from `supervise` on an error, and this never ends.
#[tokio::test(start_paused = true)]
async fn a_subscriber_that_fails_is_reported_and_tried_again_until_it_succeeds() {
    let (store, _) = shop();
    orders(&*store, 0..2_500).await;
    let (witness, stop) = (Witness::default(), CancellationToken::new());
    witness.seen().fail_at = vec![1, 1, 1_500];
    let running = tokio::spawn(Runner::new(store).with(witness.clone()).run(stop.clone()));
    witness.sees(|seen| seen.positions.len() >= 2_500 && seen.reports.last() == Some(&None)).await;
    stop.cancel();
    let ended = running.await.unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(*ended[0].outcome.as_ref().unwrap(), Position::new(2_500));
    assert_eq!(witness.seen().positions, (1..=2_500).collect::<Vec<_>>(), "each once, in order");
    let reports = witness.seen().reports.clone();
    let failed = Some("the store failed while being tested: as asked".to_string());
    assert_eq!(reports.iter().filter(|report| **report == failed).count(), 3);
    assert_eq!(reports.last(), Some(&None), "told that it has passed");
}

#[tokio::test(start_paused = true)]
async fn of_two_runners_one_stands_by_and_takes_over_at_once_when_the_other_stops() {
    let (store, _) = shop();
    let documents: Arc<dyn DocumentStore> = Arc::new(MemoryDocuments::new());
    let run = || {
        let stop = CancellationToken::new();
        let projector = Projector::new(Demand::default(), store.clone(), documents.clone());
        (tokio::spawn(Runner::new(store.clone()).with(projector).run(stop.clone())), stop)
    };
    let (first, stop_first) = run();
    orders(&*store, 0..5).await;
    wait_for(&*documents, "demand", Position::new(5), LEASE_LASTS).await.unwrap();
    let (second, stop_second) = run();
    tokio::time::sleep(2 * LEASE_LASTS).await;
    stop_first.cancel();
    assert!(first.await.unwrap()[0].outcome.is_ok());
    orders(&*store, 5..9).await;
    wait_for(&*documents, "demand", Position::new(9), LEASE_LASTS).await.unwrap();
    stop_second.cancel();
    assert!(second.await.unwrap()[0].outcome.is_ok());
}
