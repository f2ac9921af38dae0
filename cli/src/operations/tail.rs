//! `tail`: the log, event by event, and what comes.

use crate::{CliError, EventShown, Output, Stores};
use annals::{LogFilter, PageLimit, Position, Source, StoreError};
use clap::Args;
use std::collections::VecDeque;
use tokio_util::sync::CancellationToken;

/// Which part of the log to print.
#[derive(Debug, Clone, Default, Args)]
pub struct Tail {
    /// Go on with what comes, until ctrl-c
    #[arg(long, short)]
    pub follow: bool,
    /// Only events in streams of this category
    #[arg(long)]
    pub category: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
    /// Begin at this position of the log [default: 1]
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// Begin with the last N of the events that fit the other options
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub last: Option<u64>,
}

impl Tail {
    fn filter(&self) -> LogFilter {
        let mut source = Source::all();
        source.category = self.category.clone().map(Into::into);
        source.types = self.event_type.clone().map(|name| vec![name.into()]);
        LogFilter::any_of([source])
    }
}

/// So many times further back is looked when there were too few events.
const FURTHER: u64 = 8;

/// The position before the last `count` events that `filter` takes.
async fn before_last(stores: &Stores, filter: &LogFilter, count: u64) -> Result<Position, StoreError> {
    let head = stores.head().await?;
    let mut span = count;
    loop {
        let start = Position::new(head.get().saturating_sub(span));
        let (mut at, mut found) = (start, VecDeque::new());
        while at < head {
            let page = stores.store.read_log(at, PageLimit::DEFAULT, filter).await?;
            found.extend(page.events.iter().map(|event| event.position));
            // Only the last ones are kept: however many there are, the memory is that of `count`.
            let surplus = found.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
            found.drain(..surplus);
            at = at.max(page.looked);
            if page.is_at_head() {
                break;
            }
        }
        if found.len() as u64 >= count || start == Position::START {
            let first = found.front().map_or(head, |first| Position::new(first.get() - 1));
            return Ok(first);
        }
        span = span.saturating_mul(FURTHER);
    }
}

/// Prints events in log order; when it follows, those too that come until `stop`.
pub(super) async fn run(
    stores: &Stores,
    wanted: Tail,
    output: &mut Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let failed = |error: annals::StoreError| CliError::because("log", &error);
    let filter = wanted.filter();
    let mut head = stores.store.head();
    let mut at = match wanted.last {
        Some(last) => before_last(stores, &filter, last).await.map_err(failed)?,
        None => Position::new(wanted.from.unwrap_or(1).saturating_sub(1)),
    };
    let mut found = false;
    loop {
        let page = stores.store.read_log(at, PageLimit::DEFAULT, &filter).await.map_err(failed)?;
        for event in &page.events {
            let shown = EventShown::from(event);
            if output.is_json() { output.json(&shown)? } else { output.text(shown)? }
        }
        found |= !page.events.is_empty();
        at = at.max(page.looked);
        if stop.is_cancelled() {
            return Ok(());
        }
        if !page.is_at_head() {
            continue;
        }
        if !wanted.follow {
            if !found {
                output.note("no event is like that; `tail` without options shows all");
            }
            return Ok(());
        }
        output.flush()?;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            moved = async { head.wait_for(|head| *head > at).await.map(drop) } => {
                moved.map_err(|_| CliError::failed("log", "the store was closed"))?;
            }
        }
    }
}
