//! Looking at dead letters: what the read models say is parked, beside what the topics keep of it.

use super::{filled, filled_one, nothing_parked};
use crate::{
    CliError, EventShown, Output, StoreUrl, Stores,
    consumption::{Letters, Place},
    event_shown::as_text,
    table::Table,
    text::plain,
};
use annals::{PageLimit, Parked, Position, StreamId, SubscriberId, Version};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// How many events are listed with one reading of the dead-letter topics.
const LISTED_AT_ONCE: PageLimit = PageLimit::MAX;

/// How many are shown with one: they are in memory with what they say.
const SHOWN_AT_ONCE: PageLimit = PageLimit::DEFAULT;

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    generation: u32,
    key: &'a str,
    position: Position,
    #[serde(serialize_with = "as_text")]
    stream: &'a StreamId,
    version: Version,
    /// None where no copy is left.
    r#type: Option<String>,
    /// Empty for an event that merely follows a refused one.
    error: &'a str,
    attempts: u32,
    parked_at: DateTime<Utc>,
    /// Where it came from; none where no copy is left.
    from: Option<Place>,
    /// Where it is kept; a crash can leave a second copy.
    copies: Vec<Place>,
    #[serde(flatten)]
    whole: Option<Whole>,
}

/// What is shown besides of one that is shown.
#[derive(Serialize)]
struct Whole {
    headers: BTreeMap<String, String>,
    event: Option<EventShown>,
}

impl<'a> Entry<'a> {
    fn of(of: &'a SubscriberId, parked: &'a Parked, letters: &mut Letters, whole: bool) -> Self {
        let found = letters.take(parked);
        let (headers, event) = (found.headers, found.event);
        Self {
            name: of.name(),
            generation: of.generation(),
            key: &parked.key,
            position: parked.position,
            stream: &parked.stream,
            version: parked.version,
            r#type: found.r#type,
            error: &parked.error,
            attempts: parked.attempts,
            parked_at: parked.parked_at,
            from: found.from,
            copies: found.copies,
            whole: whole.then_some(Whole { headers, event }),
        }
    }

    fn row(&self) -> Vec<String> {
        let from = self.from.as_ref().map(Place::to_string).unwrap_or_default();
        let since = self.parked_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let error = if self.error.is_empty() { "follows it" } else { self.error };
        let r#type = self.r#type.clone().unwrap_or_default();
        let texts = [self.name.into(), self.key.into(), self.position.to_string(), from, r#type];
        let numbers = [self.attempts.to_string(), since, self.copies.len().to_string(), error.to_string()];
        texts.into_iter().chain(numbers).collect()
    }

    fn described(&self) -> String {
        let Self { position, stream, version, .. } = self;
        let mut text = match self.whole.as_ref().and_then(|whole| whole.event.as_ref()) {
            Some(event) => event.to_string(),
            None => format!(
                "{position:>8}  {} {version}  no dead letter holds its value: it waits in a retry topic, or nothing is left of it",
                plain(stream.as_str())
            ),
        };
        text += &match self.error {
            "" => "\n          follows it".to_string(),
            error => format!("\n          {} (tried {} times)", plain(error), self.attempts),
        };
        for place in &self.copies {
            text += &format!("\n          kept in {place}");
        }
        for (name, value) in self.whole.iter().flat_map(|whole| &whole.headers) {
            text += &format!("\n          {}: {}", plain(name), plain(value));
        }
        text
    }
}

/// Lists what is parked in one read model, or in all that consumers fill.
pub(super) async fn list(
    stores: &Stores,
    name: Option<&str>,
    kafka: &StoreUrl,
    output: &mut Output,
) -> Result<(), CliError> {
    let generations = match name {
        Some(name) => vec![filled_one(stores, name).await?],
        None => filled(stores).await?,
    };
    let titles = ["name", "key", "position", "from", "type", "attempts", "since", "copies", "error"];
    let mut table = Table::new(titles);
    for (live, parts) in generations {
        let (of, mut after) = (live.subscriber, None);
        loop {
            let page = page(stores, &of, None, after.as_ref(), LISTED_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.key.clone(), last.position));
            let mut letters = Letters::of(kafka, &of, &parts, &page, false).await?;
            let entries: Vec<_> =
                page.iter().map(|parked| Entry::of(&of, parked, &mut letters, false)).collect();
            match output.is_json() {
                true => entries.iter().try_for_each(|entry| output.json(entry))?,
                false => table.print(output, &entries.iter().map(Entry::row).collect::<Vec<_>>())?,
            }
        }
    }
    Ok(())
}

/// Shows what is parked under one key.
pub(super) async fn show(
    stores: &Stores,
    name: &str,
    key: &str,
    kafka: &StoreUrl,
    output: &mut Output,
) -> Result<(), CliError> {
    let (live, parts) = filled_one(stores, name).await?;
    let (of, mut after) = (live.subscriber, None);
    loop {
        let page = page(stores, &of, Some(key), after.as_ref(), SHOWN_AT_ONCE).await?;
        let Some(last) = page.last() else {
            return if after.is_none() { Err(nothing_parked(name, key)) } else { Ok(()) };
        };
        after = Some((last.key.clone(), last.position));
        let mut letters = Letters::of(kafka, &of, &parts, &page, true).await?;
        for parked in &page {
            output.answer(&Entry::of(&of, parked, &mut letters, true), Entry::described)?;
        }
    }
}

pub(super) async fn page(
    stores: &Stores,
    of: &SubscriberId,
    key: Option<&str>,
    after: Option<&(Arc<str>, Position)>,
    limit: PageLimit,
) -> Result<Vec<Parked>, CliError> {
    let after = after.map(|(key, position)| (&**key, *position));
    let page = stores.documents.parked(of, key, after, limit).await;
    page.map_err(|error| CliError::because(of.name(), &error))
}
