//! 64 buyers want one article at once. There are 100 pieces, and nobody gets the 101st.

use crate::{books::assert_books, ledger::whole_log};
use annals::{
    AppendError, Commit, Committed, Context, Engine, EventId, EventStore, ExecuteError, Expected, LogFilter,
    LogPage, PageLimit, Position, RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo,
    VersionRange,
};
use annals_sqlite::{SqliteOptions, SqliteStore};
use async_trait::async_trait;
use northwind_aggregates::{Holding, Sku, StockCommand, StockItem};
use std::{path::Path, sync::Arc};
use tokio::{sync::watch, task::JoinSet};

const PIECES: u64 = 100;
const BUYERS: usize = 64;

/// How often each buyer tries to get one more piece.
const TRIES: usize = 3;

/// How often a contended purchase is sent again, as a service would.
const RESENDS_MAX: u32 = 100;

fn open(path: &Path) -> Arc<dyn EventStore> {
    Arc::new(SqliteStore::open(&SqliteOptions::new(path)).unwrap())
}

/// What the buyers were told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sale {
    sold: u64,
    refused: u64,
    resent: u64,
    failures: Vec<String>,
}

/// All buyers at once, in turn over `engines`.
async fn sell(engines: &[Arc<Engine>]) -> Sale {
    let sku = Sku::new("last-hats").unwrap();
    let receive = StockCommand::Receive { quantity: PIECES, reference: "delivery".into() };
    engines[0].execute::<StockItem>(&sku, &receive, Context::new()).await.unwrap();
    let mut buying = JoinSet::new();
    for buyer in 0..BUYERS {
        let (engine, sku) = (engines[buyer % engines.len()].clone(), sku.clone());
        buying.spawn(async move {
            let mut sale = Sale::default();
            for order in (0..TRIES).map(|number| format!("{buyer}-{number}")) {
                buy(&engine, &sku, &order, &mut sale).await;
            }
            sale
        });
    }
    let mut all = Sale::default();
    while let Some(sale) = buying.join_next().await {
        let Sale { sold, refused, resent, failures } = sale.unwrap();
        all.sold += sold;
        all.refused += refused;
        all.resent += resent;
        all.failures.extend(failures);
    }
    all
}

async fn buy(engine: &Engine, sku: &Sku, order: &str, sale: &mut Sale) {
    let reserve = StockCommand::Reserve { order: order.into(), quantity: 1 };
    for _ in 0..RESENDS_MAX {
        match engine.execute::<StockItem>(sku, &reserve, Context::keyed(order)).await {
            Ok(_) => break,
            Err(ExecuteError::Contended { .. }) => sale.resent += 1,
            Err(error) => return sale.failures.push(error.to_string()),
        }
    }
    match engine.load::<StockItem>(sku).await.unwrap().state.holding(order) {
        Some(Holding::Reserved { quantity: 1 }) => sale.sold += 1,
        Some(Holding::Refused) => sale.refused += 1,
        other => sale.failures.push(format!("order {order} got {other:?}")),
    }
}

const EVERYBODY: u64 = (BUYERS * TRIES) as u64;

async fn assert_sold_out(path: &Path, sale: &Sale) {
    assert_eq!(sale.failures, Vec::<String>::new());
    assert_eq!((sale.sold, sale.refused), (PIECES, EVERYBODY - PIECES));
    let books = assert_books(&whole_log(&*open(path)).await);
    assert_eq!((books.reserved, books.refused), (PIECES, EVERYBODY - PIECES));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_buyers_of_100_pieces_get_exactly_100() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    let sale = sell(&[Arc::new(Engine::new(open(&path)))]).await;
    assert_sold_out(&path, &sale).await;
    assert_eq!(sale.resent, 0, "commands of one engine wait for each other");
}

/// Engines that know nothing of each other, as in several processes: only the expected version keeps them apart.
#[tokio::test(flavor = "multi_thread")]
async fn buyers_at_four_tills_get_exactly_100_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    let tills: Vec<_> = (0..4).map(|_| Arc::new(Engine::new(open(&path)))).collect();
    let sale = sell(&tills).await;
    println!("{sale:?}");
    assert_sold_out(&path, &sale).await;
}

/// The control: without the expected version, tills sell what another has sold already.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_expected_version_the_article_is_oversold() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    let till = || Arc::new(Engine::new(Arc::new(Careless(open(&path)))));
    let _ = sell(&[till(), till(), till(), till()]).await;
    let log = whole_log(&*open(&path)).await;
    let oversold = log.iter().filter(|event| event.event_type == *"Reserved").count();
    println!("{oversold} of {PIECES} pieces were sold");
    assert!(oversold as u64 > PIECES, "{oversold}");
}

/// Appends whatever version the stream is at.
struct Careless(Arc<dyn EventStore>);

#[async_trait]
impl EventStore for Careless {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        let [write] = <[_; 1]>::try_from(commit.into_writes()).unwrap();
        self.0.append(Commit::to(write.stream, Expected::Any, write.events)).await
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
