//! The command `northwind demo`.

use super::{
    DemoReport,
    place::{Placing, open_stock, place},
    replay::replay,
    tally::Tally,
};
use crate::{
    publishing::{PublishTo, PublishedReport, Publishing},
    shop,
    work::{Work, lag_events, watch},
};
use annals_cli::{Access, CliError, Global, Output, Service, Stores};
use chrono::{DateTime, Utc};
use clap::Args;
use northwind_aggregates::{BURST_ORDERS_MAX, BURST_SKUS_MAX, Burst, BurstTerms};
use std::{sync::Arc, time::Instant};
use tokio_util::sync::CancellationToken;

/// The most writers.
pub const WRITERS_MAX: u32 = 4_096;

/// When the first order is placed, in business time: fixed, so that the same seed gives the same commands.
const FIRST_ORDER_AT: DateTime<Utc> =
    DateTime::from_timestamp(1_767_601_800, 0).expect("2026-01-05T08:30:00Z");

/// Place a burst of orders on few hot articles, and see that nothing is oversold
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// How many orders
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(BURST_ORDERS_MAX)))]
    pub orders: u32,

    /// How many writers place them at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=i64::from(WRITERS_MAX)))]
    pub writers: u32,

    /// Another seed places other orders; the same seed repeats its commands, which changes nothing
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Of how many articles
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(BURST_SKUS_MAX)))]
    pub skus: u32,

    /// Whether to publish the events, and see what a consumer finds.
    #[command(flatten)]
    pub publish: PublishTo,
}

impl Demo {
    /// Places the burst, waits until nothing is left to do, and checks the outcome.
    ///
    /// # Errors
    /// A failure when a piece was sold twice, a read model differs from its replay, or a consumer does not find every
    /// event once and in order: after the report.
    pub async fn run(&self, global: &Global, interrupted: &CancellationToken) -> Result<(), CliError> {
        let Self { orders, skus, seed, .. } = *self;
        let burst = Burst::new(BurstTerms { orders, skus, seed, start: FIRST_ORDER_AT })
            .map_err(|error| CliError::usage("demo", error))?;
        let publishing = self.publish.reach().await?;
        let service = Arc::new(shop());
        let stores = Stores::open(&service, global, Access::Create).await?;
        let mut output = Output::stdout(global);
        let mut report =
            self.report(&burst, &service, &stores, &output, publishing.as_ref(), interrupted).await?;
        if let Some(publishing) = &publishing {
            report.published = Some(publishing.prove(&stores, interrupted).await?);
        }
        output.answer(&report, DemoReport::to_string)?;
        output.flush()?;
        judge(&report, global)?;
        if !global.json {
            output.note(next_steps(global, seed));
            if let Some(published) = &report.published {
                output.note(published.next_steps(&global.stores_again()));
            }
        }
        Ok(())
    }

    async fn report(
        &self,
        burst: &Burst,
        service: &Arc<Service>,
        stores: &Stores,
        output: &Output,
        publishing: Option<&Publishing>,
        interrupted: &CancellationToken,
    ) -> Result<DemoReport, CliError> {
        let progress = &output.progress("placing orders");
        let engine = service.engine(stores);
        let watching = watch(progress, "placing orders", stores, service);
        let work = Work::begin(service, stores, &engine).publishing(publishing);
        let failed = |error| CliError::because("lag", &error);
        let sending = async {
            open_stock(&engine, burst, self.seed, interrupted).await?;
            let placed = place(&engine, burst, self.writers as usize, progress, interrupted).await?;
            Ok((placed, lag_events(stores, service).await.map_err(failed)?, Instant::now()))
        };
        let ((placing, lag, placed_at), head) = work.through(sending, interrupted).await?;
        let drain_seconds = placed_at.elapsed().as_secs_f64();
        drop(watching);
        progress.done();

        let lag_at_end_events = lag_events(stores, service).await.map_err(failed)?;
        let tally = Tally::take(&*stores.store, &placing.numbers).await?;
        let replay_differences = replay(service, stores, output, interrupted).await?;
        let Placing { commands, repeated, rejected, took, latency, .. } = placing;
        Ok(DemoReport {
            orders_placed: tally.placed,
            orders_confirmed: tally.confirmed,
            orders_cancelled: tally.out_of_stock,
            oversold: tally.oversold(),
            commands,
            repeated,
            rejected,
            commands_per_second: commands as f64 / took.as_secs_f64().max(f64::EPSILON),
            p50_ms: latency.percentile_ms(50.0),
            p95_ms: latency.percentile_ms(95.0),
            p99_ms: latency.percentile_ms(99.0),
            events: head.get(),
            lag_events: lag,
            drain_seconds,
            lag_at_end_events,
            replay_differences,
            published: None,
        })
    }
}

fn judge(report: &DemoReport, global: &Global) -> Result<(), CliError> {
    let DemoReport { oversold, replay_differences, .. } = *report;
    if oversold > 0 {
        return Err(CliError::failed("oversold", format!("{oversold} pieces were sold that were not there")));
    }
    if replay_differences > 0 {
        let reason = format!("documents that differ from what followed: {replay_differences}");
        let stores = global.stores_again();
        let next = format!("see which with `northwind replay --all --diff{stores}`");
        return Err(CliError::failed("replay", reason).next(next));
    }
    report.published.as_ref().map_or(Ok(()), PublishedReport::judge)
}

fn next_steps(global: &Global, seed: u64) -> String {
    let url = global.store_url("northwind");
    if url.scheme() == "memory" {
        return "the store was in memory and is gone; leave --store out to keep it in northwind.db".into();
    }
    let stores = global.stores_again();
    let mut lines = vec![format!("show order-B{seed}-0000001"), "check".into()];
    // Read models in memory are gone: there is nothing to look at.
    if global.read_models.as_ref().is_none_or(|url| url.scheme() != "memory") {
        lines.insert(0, "query stock".into());
        lines.extend(["lag".into(), "replay --all --diff".into()]);
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("  northwind {line}{stores}")).collect();
    format!("\nthe events are in {url}; try next:\n{}", lines.join("\n"))
}
