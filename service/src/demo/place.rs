//! The commands of the burst, sent and timed.

use super::latency::Latency;
use crate::{
    sending::{Answer, at_once, send},
    work::interruption,
};
use annals::{CommandId, Engine};
use annals_cli::{CliError, Progress};
use futures_util::{StreamExt, TryStreamExt};
use northwind_aggregates::{Burst, Order, OrderCommand, Sku, StockCommand, StockItem};
use std::{
    collections::HashSet,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How many articles are given their stock at once.
const ARTICLES_AT_ONCE_MAX: usize = 64;

/// On whose behalf.
const ACTOR: &str = "demo";

/// What became of the commands of the burst.
pub(super) struct Placing {
    pub(super) commands: u64,
    /// How many had arrived before, with an earlier burst of the same seed.
    pub(super) repeated: u64,
    /// How many the domain refused.
    pub(super) rejected: u64,
    pub(super) took: Duration,
    pub(super) latency: Latency,
    /// The orders of the burst.
    pub(super) numbers: HashSet<String>,
}

/// Gives each article its stock, once a seed: a second burst of the same seed finds what the first has left.
pub(super) async fn open_stock(
    engine: &Arc<Engine>,
    burst: &Burst,
    seed: u64,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    let receive = |(sku, command): (Sku, StockCommand)| {
        let engine = engine.clone();
        async move {
            let id = CommandId::of_key(&format!("demo/{seed}/opening-stock/{sku}"));
            match send::<StockItem>(&engine, &sku, &command, id, ACTOR).await? {
                Answer::Done(_) => Ok(()),
                Answer::Rejected(reason) => Err(CliError::failed(format!("opening stock of {sku}"), reason)),
            }
        }
    };
    at_once(burst.opening_stock().map(receive), ARTICLES_AT_ONCE_MAX, interrupted).try_collect().await
}

/// Has `writers` writers place the orders, each the next one as soon as it is done with one.
pub(super) async fn place(
    engine: &Arc<Engine>,
    burst: &Burst,
    writers: usize,
    progress: &Progress,
    interrupted: &CancellationToken,
) -> Result<Placing, CliError> {
    let all = burst.orders().size_hint().0 as u64;
    let placing = burst.orders().map(|(number, command)| {
        let engine = engine.clone();
        async move {
            let began = Instant::now();
            let id = command_id(&number, &command);
            let answer = send::<Order>(&engine, &number, &command, id, ACTOR).await?;
            Ok::<_, CliError>((number, answer, began.elapsed()))
        }
    });
    let began = Instant::now();
    let mut answers = pin!(at_once(placing, writers, interrupted));
    let (numbers, latency, took) = (HashSet::new(), Latency::new(), Duration::ZERO);
    let mut placed = Placing { commands: 0, repeated: 0, rejected: 0, took, latency, numbers };
    while let Some(answered) = answers.next().await {
        let (number, answer, took) = answered?;
        placed.commands += 1;
        placed.latency.record(took);
        placed.numbers.insert(number);
        match answer {
            Answer::Done(done) => placed.repeated += u64::from(done.repeated),
            Answer::Rejected(_) => placed.rejected += 1,
        }
        progress.at(placed.commands, all);
    }
    if interrupted.is_cancelled() {
        return Err(interruption());
    }
    placed.took = began.elapsed();
    Ok(placed)
}

/// The seed is part of the number, so that the same burst leads to the same ids and another one to others.
fn command_id(number: &str, command: &OrderCommand) -> CommandId {
    let key = format!("demo/order/{number}");
    match command {
        OrderCommand::Place { occurred_at, .. } => CommandId::of_key_at(&key, *occurred_at),
        _ => CommandId::of_key(&key),
    }
}
