//! `streams`: which streams there are.

use crate::{CliError, Output, Stores, event_shown::as_text, table::Table};
use annals::{PageLimit, StreamFilter, StreamId, Version};
use clap::Args;
use serde::Serialize;

/// Which streams to list.
#[derive(Debug, Clone, Default, Args)]
pub struct Streams {
    /// Only those of this tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Only those of this category
    #[arg(long)]
    pub category: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(serialize_with = "as_text")]
    stream: StreamId,
    version: Version,
}

/// Lists streams, page by page.
pub(super) async fn run(stores: &Stores, wanted: Streams, output: &mut Output) -> Result<(), CliError> {
    let mut filter = StreamFilter::all();
    (filter.tenant, filter.category) = (wanted.tenant, wanted.category);
    let mut table = Table::new(["stream", "version"]);
    let mut after: Option<StreamId> = None;
    loop {
        let page = stores.store.streams(&filter, after.as_ref(), PageLimit::DEFAULT).await;
        let page = page.map_err(|error| CliError::because("streams", &error))?;
        if output.is_json() {
            for info in &page {
                output.json(&Listed { stream: info.stream.clone(), version: info.version })?;
            }
        } else {
            let row = |info: &annals::StreamInfo| vec![info.stream.to_string(), info.version.to_string()];
            table.print(output, &page.iter().map(row).collect::<Vec<_>>())?;
        }
        if page.is_empty() && after.is_none() {
            output.note("no stream is like that; `streams` without options lists all");
        }
        match page.last() {
            Some(last) if page.len() == PageLimit::DEFAULT.get() => after = Some(last.stream.clone()),
            _ => return Ok(()),
        }
    }
}
