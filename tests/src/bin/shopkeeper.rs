//! Runs a part of the shop in a process of its own and tells each step on stdout, one `Report` a line.
//!
//! Told `begin` or `stop` on stdin; it ends when that is closed, so that it never outlives its story.

use annals::{CommandId, Context, ExecuteError, LeaseTerms, Runner, Subscriber, SubscriberError, error_text};
use annals_tests::{Acknowledge, Announced, Consume, Hold, Obey, Publish, Report, Shop, Witness};
use anyhow::Context as _;
use chrono::DateTime;
use clap::{Args, Parser};
use futures_util::{StreamExt, stream};
use northwind_aggregates::{Burst, BurstTerms, Sku, StockCommand, StockItem};
use std::{io::BufRead, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often a contended command is sent again, as a service would.
const RESENDS_MAX: u32 = 100;

#[derive(Parser)]
enum Part {
    /// Receives the opening stock of a burst and places its orders, with policies and read models running.
    Orders(Orders),
    /// Receives pieces of few hot articles, and of one of its own.
    Receive(Receive),
    /// Keeps the read models up to date until it is told to stop.
    ReadModels(ReadModels),
    /// Publishes the log until it is told to stop.
    Publish(Publish),
    /// Fills read models elsewhere from topics until it is told to stop.
    Consume(Consume),
    /// Runs a policy elsewhere, fed from a topic, until it is told to stop.
    Obey(Obey),
    /// Receives one delivery, answers, and waits for its end.
    Deliver(Deliver),
}

#[derive(Args)]
struct Orders {
    /// A file, or the URL of a PostgreSQL database.
    log: String,
    #[arg(long)]
    orders: u32,
    #[arg(long)]
    skus: u32,
    #[arg(long)]
    seed: u64,
    /// The first order to place, from 0.
    #[arg(long)]
    from: usize,
    #[arg(long)]
    at_once: usize,
    #[arg(long)]
    lease_ms: u64,
    /// Says that a commit is acknowledged before the store is asked.
    #[arg(long)]
    early: bool,
}

#[derive(Args)]
struct Receive {
    /// A file, or the URL of a PostgreSQL database.
    log: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    commands: u32,
    #[arg(long)]
    hot: u32,
    #[arg(long)]
    at_once: usize,
}

#[derive(Args)]
struct ReadModels {
    log: PathBuf,
    /// Where the read models are in PostgreSQL, if they are not beside the log.
    #[arg(long)]
    views: Option<String>,
    #[arg(long)]
    holder: String,
    #[arg(long)]
    lease_ms: u64,
    /// Stops for ever with the first page in hand, before or after it is handled.
    #[arg(long)]
    hold: Option<Hold>,
}

#[derive(Args)]
struct Deliver {
    /// A file, or the URL of a PostgreSQL database.
    log: String,
    #[arg(long)]
    sku: String,
    #[arg(long)]
    reference: String,
}

/// What the story says on stdin.
#[derive(Clone, Default)]
struct Told {
    begin: CancellationToken,
    stop: CancellationToken,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let part = Part::parse();
    let told = Told::listening()?;
    match part {
        Part::Orders(part) => place_orders(part).await?,
        Part::Receive(part) => receive(part, &told).await?,
        Part::ReadModels(part) => keep_read_models(part, &told).await?,
        Part::Publish(part) => part.run(told.stop.clone()).await?,
        Part::Consume(part) => part.run(told.stop.clone()).await?,
        Part::Obey(part) => part.run(told.begin.clone(), told.stop.clone()).await?,
        Part::Deliver(part) => deliver(part, &told).await?,
    }
    Report::Finished.tell();
    Ok(())
}

impl Told {
    fn listening() -> std::io::Result<Self> {
        let told = Self::default();
        let hears = told.clone();
        std::thread::Builder::new().name("stdin".into()).spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                match line.as_str() {
                    "begin" => hears.begin.cancel(),
                    _ => hears.stop.cancel(),
                }
            }
            std::process::exit(3)
        })?;
        Ok(told)
    }
}

async fn place_orders(part: Orders) -> anyhow::Result<()> {
    let when = if part.early { Acknowledge::Early } else { Acknowledge::Committed };
    let shop = Shop::open_at(&part.log, |store| Arc::new(Witness::new(store, when))).await?;
    let start = DateTime::UNIX_EPOCH;
    let burst = Burst::new(BurstTerms { orders: part.orders, skus: part.skus, seed: part.seed, start })?;
    for (sku, command) in burst.opening_stock() {
        let context = Context::keyed(&format!("opening stock of {sku}"));
        shop.engine.execute::<StockItem>(&sku, &command, context).await?;
    }
    let terms = LeaseTerms { lasts: Duration::from_millis(part.lease_ms), ..LeaseTerms::default() };
    let stop = CancellationToken::new();
    let subscribers = shop.policies(&terms).into_iter().chain(shop.read_models(&terms));
    let running = tokio::spawn(Runner::new(shop.store.clone()).with_all(subscribers).run(stop.clone()));
    let placing = burst.orders().skip(part.from).map(|(number, command)| {
        let shop = shop.clone();
        async move {
            let done = shop.place(&number, &command).await.with_context(|| format!("order {number}"))?;
            Report::answered(CommandId::of_key(&number), &done).tell();
            anyhow::Ok(())
        }
    });
    let mut placing = stream::iter(placing).buffer_unordered(part.at_once);
    while let Some(placed) = placing.next().await {
        placed?;
    }
    shop.drained().await?;
    stop.cancel();
    for ended in running.await? {
        ended.outcome.with_context(|| ended.subscriber)?;
    }
    Ok(())
}

async fn receive(part: Receive, told: &Told) -> anyhow::Result<()> {
    let shop =
        Shop::open_at(&part.log, |store| Arc::new(Witness::new(store, Acknowledge::Committed))).await?;
    Report::Ready.tell();
    told.begin.cancelled().await;
    let (shop, part) = (&shop, &part);
    let receiving = (0..part.commands).map(|number| async move {
        // Every fourth goes to an article of this process alone.
        let hot = format!("hot-{}", number % part.hot);
        let sku = Sku::new(if number % 4 == 0 { &part.name } else { &hot })?;
        let reference = format!("{} {number}", part.name);
        let command = StockCommand::Receive { quantity: 1, reference: reference.clone() };
        let mut resent = 0;
        loop {
            let context = Context::keyed(&reference);
            match shop.engine.execute::<StockItem>(&sku, &command, context).await {
                Ok(done) => {
                    Report::answered(CommandId::of_key(&reference), &done).tell();
                    return anyhow::Ok(());
                }
                Err(ExecuteError::Contended { .. }) if resent < RESENDS_MAX => resent += 1,
                Err(error) => {
                    Report::Failed { what: reference, error: error_text(&error) }.tell();
                    return Err(error.into());
                }
            }
        }
    });
    let mut receiving = stream::iter(receiving).buffer_unordered(part.at_once);
    while let Some(received) = receiving.next().await {
        received?;
    }
    Ok(())
}

async fn keep_read_models(part: ReadModels, told: &Told) -> anyhow::Result<()> {
    let shop = Shop::open_with(&part.log, part.views.as_deref()).await?;
    let terms = LeaseTerms { holder: part.holder, lasts: Duration::from_millis(part.lease_ms) };
    let subscribers = shop.read_models(&terms).into_iter().map(|subscriber| {
        let announced: Box<dyn Subscriber> = Box::new(Announced { subscriber, hold: part.hold });
        announced
    });
    let running = Runner::new(shop.store.clone()).with_all(subscribers).run(told.stop.clone());
    for ended in running.await {
        match ended.outcome {
            // It stood by to the end.
            Ok(_) | Err(SubscriberError::Lease(_)) => {}
            Err(error) => return Err(error).context(ended.subscriber),
        }
    }
    Ok(())
}

async fn deliver(part: Deliver, told: &Told) -> anyhow::Result<()> {
    let shop =
        Shop::open_at(&part.log, |store| Arc::new(Witness::new(store, Acknowledge::Committed))).await?;
    Report::Ready.tell();
    told.begin.cancelled().await;
    let command = StockCommand::Receive { quantity: 1, reference: part.reference.clone() };
    let sku = Sku::new(&part.sku)?;
    let done = shop.engine.execute::<StockItem>(&sku, &command, Context::keyed(&part.reference)).await?;
    Report::answered(CommandId::of_key(&part.reference), &done).tell();
    told.stop.cancelled().await;
    Ok(())
}
