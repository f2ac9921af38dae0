//! `tail`: the log, event by event, and what comes.

use crate::{CliError, EventShown, Output, Stores};
use annals::{LogFilter, PageLimit, Position, Source};
use clap::Args;
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
    /// Begin so many positions before the end of the log
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
        Some(last) => Position::new(stores.head().await.map_err(failed)?.get().saturating_sub(last)),
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
