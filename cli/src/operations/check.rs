//! `check`: whether the log is whole and this program can read it.

use crate::{CliError, Output, Service, Settings, Stores, integrity::Walked, text::plain};
use annals::{EventStore, GenerationState, LogFilter, PageLimit, Position};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many problems one check lists; it goes on counting.
pub const PROBLEMS_MAX: usize = 1_000;

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// Nothing is wrong.
    pub ok: bool,
    /// How many events there are.
    pub events: u64,
    /// How many streams there are.
    pub streams: u64,
    /// How many problems there are.
    pub problems_found: u64,
    /// The first [`PROBLEMS_MAX`] of them.
    pub problems: Vec<String>,
    /// How many events are of categories that this program does not know, and so were not decoded.
    pub unknown_categories: BTreeMap<String, u64>,
    /// What the log promises, read back from it.
    pub settings: Settings,
}

impl Checked {
    fn report(&mut self, problem: impl Into<String>) {
        self.problems_found += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.into());
        }
    }
}

/// Walks the whole log: as the store checks itself, then event by event as this program reads it. Memory stays flat
/// on stores that check themselves.
///
/// # Errors
/// When the check could not be done; what it found is in [`Checked`].
pub async fn check(service: &Service, stores: &Stores, output: &Output) -> Result<Checked, CliError> {
    let failed = |error: annals::StoreError| CliError::because("check", &error);
    let settings = stores.settings().await.map_err(failed)?;
    let mut checked = Checked { settings, ..Checked::default() };
    let bar = output.progress("checking the log");
    let walked = stores.walk(bar.clone()).await.map_err(failed)?;
    bar.done();
    let Walked { events, streams, problems_found, problems } = walked;
    (checked.events, checked.streams) = (events, streams);
    problems.into_iter().for_each(|problem| checked.report(problem));
    checked.problems_found = checked.problems_found.max(problems_found);
    read(service, &*stores.store, &mut checked, output).await.map_err(failed)?;
    places(stores, &mut checked).await.map_err(failed)?;
    checked.ok = checked.problems_found == 0;
    Ok(checked)
}

/// Decodes every event as the aggregate of its stream does.
async fn read(
    service: &Service,
    store: &dyn EventStore,
    checked: &mut Checked,
    output: &Output,
) -> Result<(), annals::StoreError> {
    let bar = output.progress("reading every event");
    let mut at = Position::START;
    loop {
        let page = store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await?;
        for event in &page.events {
            let category = event.stream.category();
            match service.aggregate_of(category) {
                Some(aggregate) => {
                    if let Err(error) = aggregate.decodes(event) {
                        checked.report(annals::error_text(&error));
                    }
                }
                None => *checked.unknown_categories.entry(category.into()).or_default() += 1,
            }
        }
        bar.at(page.looked.get(), page.head.get());
        if page.is_at_head() || page.looked <= at {
            bar.done();
            return Ok(());
        }
        at = page.looked;
    }
}

/// A read model that has come further than the log was made from another one.
async fn places(stores: &Stores, checked: &mut Checked) -> Result<(), annals::StoreError> {
    let all = stores.documents.subscribers().await?;
    let head = stores.head().await?;
    for info in all.into_iter().filter(|info| info.state != GenerationState::Retired) {
        let (subscriber, at) = (&info.subscriber, info.checkpoint);
        if at > head {
            checked.report(format!(
                "{subscriber} stands at position {at}, the log ends at {head}: it was made from another log; \
                 delete the read models and run `replay --all`"
            ));
        }
    }
    Ok(())
}

/// Prints what a check found.
pub(super) async fn run(service: &Service, stores: &Stores, output: &mut Output) -> Result<(), CliError> {
    let checked = check(service, stores, output).await?;
    output.answer(&checked, describe)?;
    if checked.ok {
        return Ok(());
    }
    let found = match checked.problems_found {
        1 => "1 problem was found".to_string(),
        many => format!("{many} problems were found"),
    };
    Err(CliError::failed("check", found).next("keep a copy of the files before anything is mended"))
}

fn describe(checked: &Checked) -> String {
    let Checked { events, streams, .. } = checked;
    let mut lines = vec![format!("{events} events in {streams} streams"), checked.settings.to_string()];
    lines.extend(checked.unknown_categories.iter().map(|(category, events)| {
        format!("not decoded, as this program does not know them: {events} events of {category}")
    }));
    lines.extend(checked.problems.iter().map(|problem| format!("problem: {}", plain(problem))));
    let unlisted = checked.problems_found.saturating_sub(checked.problems.len() as u64);
    if unlisted > 0 {
        lines.push(format!("and {unlisted} more"));
    }
    if checked.ok {
        let read = if checked.unknown_categories.is_empty() { "every event" } else { "every other event" };
        lines.push(format!(
            "ok: positions and versions are contiguous, commits are whole, {read} can be read"
        ));
    }
    lines.join("\n")
}
