//! Looking at parked events.

use super::{from_a_log, live, nothing_parked};
use crate::{CliError, EventShown, Output, Service, Stores, event_shown::as_text, table::Table, text::plain};
use annals::{GenerationState, LogFilter, PageLimit, Parked, Position, StreamId, SubscriberId, Version};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    generation: u32,
    key: &'a str,
    position: Position,
    #[serde(serialize_with = "as_text")]
    stream: &'a StreamId,
    version: Version,
    /// Empty for an event that merely follows a refused one.
    error: &'a str,
    attempts: u32,
    parked_at: DateTime<Utc>,
    /// What it says; only where one key is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventShown>,
}

impl<'a> Entry<'a> {
    fn of(of: &'a SubscriberId, parked: &'a Parked) -> Self {
        Self {
            name: of.name(),
            generation: of.generation(),
            key: &parked.key,
            position: parked.position,
            stream: &parked.stream,
            version: parked.version,
            error: &parked.error,
            attempts: parked.attempts,
            parked_at: parked.parked_at,
            event: None,
        }
    }

    fn row(&self) -> Vec<String> {
        let error = if self.error.is_empty() { "follows it" } else { self.error };
        let place = format!("{} {}", self.stream, self.version);
        let texts = [self.name.into(), self.key.into(), self.position.to_string(), place];
        let texts = texts.into_iter().chain([self.attempts.to_string(), error.to_string()]);
        texts.collect()
    }
}

/// Lists the parked events of one read model, or of all.
pub(super) async fn list(
    service: &Service,
    stores: &Stores,
    name: Option<&str>,
    output: &mut Output,
) -> Result<(), CliError> {
    let generations = match name {
        Some(name) => live(service, stores, name).await?.into_iter().collect(),
        None => all_live(stores).await?,
    };
    let mut table = Table::new(["name", "key", "position", "event", "attempts", "error"]);
    for of in generations {
        let mut after: Option<(Arc<str>, Position)> = None;
        loop {
            let page = page(stores, &of, None, after.as_ref()).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.key.clone(), last.position));
            let entries: Vec<Entry<'_>> = page.iter().map(|parked| Entry::of(&of, parked)).collect();
            if output.is_json() {
                entries.iter().try_for_each(|entry| output.json(entry))?;
            } else {
                table.print(output, &entries.iter().map(Entry::row).collect::<Vec<_>>())?;
            }
        }
    }
    Ok(())
}

async fn all_live(stores: &Stores) -> Result<Vec<SubscriberId>, CliError> {
    let all = stores.documents.subscribers().await.map_err(|error| CliError::because("parked", &error))?;
    let live = all.into_iter().filter(|info| info.state == GenerationState::Live && info.parked > 0);
    Ok(live.map(|info| info.subscriber).collect())
}

/// Shows the events parked under one key, with what they say.
pub(super) async fn show(
    service: &Service,
    stores: &Stores,
    name: &str,
    key: &str,
    output: &mut Output,
) -> Result<(), CliError> {
    let Some(of) = live(service, stores, name).await? else { return Err(nothing_parked(name, key)) };
    from_a_log(stores, &of).await?;
    let mut after: Option<(Arc<str>, Position)> = None;
    loop {
        let page = page(stores, &of, Some(key), after.as_ref()).await?;
        if page.is_empty() && after.is_none() {
            return Err(nothing_parked(name, key));
        }
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.key.clone(), last.position));
        for parked in &page {
            let entry = Entry { event: event_at(stores, parked.position).await?, ..Entry::of(&of, parked) };
            output.answer(&entry, describe)?;
        }
    }
}

fn describe(entry: &Entry<'_>) -> String {
    let event = entry.event.as_ref().map_or_else(|| "is not in the log".into(), ToString::to_string);
    match entry.error {
        "" => format!("{event}\n          follows it"),
        error => format!("{event}\n          {} (tried {} times)", plain(error), entry.attempts),
    }
}

async fn event_at(stores: &Stores, position: Position) -> Result<Option<EventShown>, CliError> {
    let before = Position::new(position.get().saturating_sub(1));
    let page = stores.store.read_log(before, PageLimit::ONE, &LogFilter::all()).await;
    let page = page.map_err(|error| CliError::because("log", &error))?;
    Ok(page.events.first().filter(|event| event.position == position).map(EventShown::from))
}

pub(super) async fn page(
    stores: &Stores,
    of: &SubscriberId,
    key: Option<&str>,
    after: Option<&(Arc<str>, Position)>,
) -> Result<Vec<Parked>, CliError> {
    let after = after.map(|(key, position)| (&**key, *position));
    let page = stores.documents.parked(of, key, after, PageLimit::DEFAULT).await;
    page.map_err(|error| CliError::because(of.name(), &error))
}
