//! `check`: whether the log is whole and this program can read it.

mod reading;

pub use reading::UNREADABLE_MAX;

use crate::{
    CliError, Output, Service, Settings, Stores,
    integrity::Walked,
    stores::{Facts, OTHER},
    text::plain,
};
use annals::{EventStore, GenerationState, Json, RecordedEvent};
use reading::{Next, Reading};
use serde::{Serialize, de::IgnoredAny};
use std::collections::BTreeMap;

/// How many problems one check lists; it goes on counting.
pub const PROBLEMS_MAX: usize = 1_000;

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// Nothing is wrong.
    pub ok: bool,
    /// How many events there are; those that could be read, where the store's own check ended early.
    pub events: u64,
    /// How many streams there are; 0 where the store's own check ended early.
    pub streams: u64,
    /// How many problems there are.
    pub problems_found: u64,
    /// The first [`PROBLEMS_MAX`] of them.
    pub problems: Vec<String>,
    /// How many events are of categories that this program does not know, and so were not decoded.
    pub unknown_categories: BTreeMap<String, u64>,
    /// What the log promises, read back from it.
    pub settings: Settings,
    /// What the read models lie on, read back from it; none where there are none yet.
    pub read_models: Option<Settings>,
}

impl Checked {
    fn report(&mut self, problem: impl Into<String>) {
        self.problems_found += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.into());
        }
    }

    fn take(&mut self, walked: Walked) {
        let Walked { events, streams, problems_found, problems } = walked;
        (self.events, self.streams) = (events, streams);
        problems.into_iter().for_each(|problem| self.report(problem));
        self.problems_found = self.problems_found.max(problems_found);
    }

    /// Whether `service` can read `event`.
    fn read(&mut self, service: &Service, event: &RecordedEvent) {
        let mut json = |what: &str, json: &Json| {
            if let Err(error) = json.read::<IgnoredAny>() {
                let RecordedEvent { stream, version, position, .. } = event;
                self.report(format!(
                    "{stream} at version {version}, position {position}: its {what} is no JSON: {error}"
                ));
            }
        };
        json("metadata", &event.metadata);
        let category = event.stream.category();
        match service.aggregate_of(category) {
            Some(aggregate) => {
                if let Err(error) = aggregate.decodes(event) {
                    self.report(annals::error_text(&error));
                }
            }
            None => {
                json("payload", &event.payload);
                *self.unknown_categories.entry(category.into()).or_default() += 1;
            }
        }
    }
}

/// Walks the whole log: as the store checks itself, then event by event as this program reads it. Memory stays flat
/// on stores that check themselves.
///
/// Damage ends nothing: what cannot be read is a problem that names the position before it, and what lies behind it is
/// read all the same, up to [`UNREADABLE_MAX`] such events.
///
/// # Errors
/// When the check could not be done for now, as with a file that is locked; what it found is in [`Checked`].
pub async fn check(service: &Service, stores: &Stores, output: &Output) -> Result<Checked, CliError> {
    let failed = |error: annals::StoreError| {
        CliError::because("check", &error).next("try again; if it fails again, restore the log from a backup")
    };
    let settings = stores.settings().await.map_err(failed)?;
    let read_models = stores.read_models_settings().await.map_err(failed)?;
    let mut checked = Checked { settings, read_models, ..Checked::default() };
    let bar = output.progress("checking the log");
    match stores.walk(bar.clone()).await {
        Ok(walked) => checked.take(walked),
        Err(error) if error.is_transient() => return Err(failed(error)),
        Err(error) => {
            checked.report(format!("the store's own check ended early: {}", annals::error_text(&error)));
        }
    }
    bar.done();
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
    let (mut reading, mut readable) = (Reading::of(store), 0);
    while let Some(next) = reading.next().await? {
        match next {
            Next::Page(page) => {
                page.events.iter().for_each(|event| checked.read(service, event));
                readable += page.events.len() as u64;
                bar.at(page.looked.get(), page.head.get());
            }
            Next::Problem(problem) => checked.report(problem),
        }
    }
    bar.done();
    // What was appended since the walk is not counted; where there was no walk there is nothing else to count by.
    if checked.streams == 0 {
        checked.events = readable;
    }
    Ok(())
}

/// A read model that has come further than the log was made from another one.
async fn places(stores: &Stores, checked: &mut Checked) -> Result<(), annals::StoreError> {
    let all = match stores.documents.subscribers().await {
        Err(error) if !error.is_transient() => {
            let reason = annals::error_text(&error);
            checked.report(format!(
                "the read models cannot be read: {reason}; delete them and run `replay --all`"
            ));
            return Ok(());
        }
        all => all?,
    };
    let head = match stores.head().await {
        // The beginning of the log may be what is damaged.
        Err(error) if !error.is_transient() => *stores.store.head().borrow(),
        head => head?,
    };
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
    let counted = match streams {
        0 if *events > 0 => format!("{events} events could be read"),
        _ => format!("{events} events in {streams} streams"),
    };
    let read_models = checked.read_models.as_ref().map_or("none yet".into(), |it| Facts(it).to_string());
    let mut lines = vec![counted, checked.settings.to_string(), format!("read models: {read_models}")];
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
        let numbers = match &*checked.settings.store {
            OTHER => "positions rise, versions are contiguous",
            _ => "positions and versions are contiguous",
        };
        lines.push(format!("ok: {numbers}, commits are whole, {read} can be read"));
    }
    lines.join("\n")
}
