//! Whether a log is whole, found out by reading it, as any store can be read.

use crate::{Progress, operations::check::PROBLEMS_MAX};
use annals::{EventStore, LogFilter, PageLimit, Position, RecordedEvent, StoreError, StreamId, Version};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What a walk over a log found.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) events: u64,
    pub(crate) streams: u64,
    pub(crate) problems_found: u64,
    pub(crate) problems: Vec<String>,
}

impl Walked {
    fn report(&mut self, problem: String) {
        self.problems_found += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// What the store promises of the positions of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positions {
    /// None is left out, from 1 on.
    Contiguous,
    /// Each is higher than the one before it.
    Rising,
}

/// Reads the whole log: positions as promised, commits whole, time not running backwards, versions contiguous in every
/// stream. Remembers one version per stream. Damage ends the walk, and is a problem beside those found before it.
pub(crate) async fn walk(
    store: &dyn EventStore,
    positions: Positions,
    progress: &Progress,
) -> Result<Walked, StoreError> {
    let mut walk = Walk::of(positions);
    let mut at = Position::START;
    loop {
        let page = match store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await {
            Err(error) if !error.is_transient() => return Ok(walk.broken_off(at, &error)),
            page => page?,
        };
        page.events.iter().for_each(|event| walk.take(event));
        progress.at(page.looked.get(), page.head.get());
        if page.is_at_head() || page.looked <= at {
            return Ok(walk.end(page.head));
        }
        at = page.looked;
    }
}

struct Walk {
    positions: Positions,
    found: Walked,
    versions: HashMap<StreamId, Version>,
    position: Position,
    recorded_at: DateTime<Utc>,
    /// The place in the commit that is due; 0 where a commit begins.
    due: u32,
    size: u32,
}

impl Walk {
    fn of(positions: Positions) -> Self {
        let (found, versions, position) = (Walked::default(), HashMap::new(), Position::START);
        Self { positions, found, versions, position, recorded_at: DateTime::default(), due: 0, size: 0 }
    }

    fn take(&mut self, event: &RecordedEvent) {
        let (position, place) = (event.position, event.commit);
        let follows = match self.positions {
            Positions::Contiguous => position == self.position.plus(1),
            Positions::Rising => position > self.position,
        };
        if !follows {
            self.found.report(format!("position {position} follows {}", self.position));
        }
        if place.index != self.due || place.index >= place.size || (self.due > 0 && place.size != self.size) {
            let (index, size, due) = (place.index, place.size, self.due);
            self.found.report(format!(
                "position {position} is place {index} of a commit of {size}, where place {due} was due"
            ));
        }
        if event.recorded_at < self.recorded_at {
            self.found.report(format!("position {position} was recorded before the one in front of it"));
        }
        let last = self.versions.entry(event.stream.clone()).or_default();
        if event.version != last.plus(1) {
            let (stream, version, due) = (&event.stream, event.version, last.plus(1));
            self.found.report(format!(
                "{stream} has version {version} at position {position}, where version {due} was due"
            ));
        }
        *last = event.version;
        (self.position, self.recorded_at, self.size) = (position, event.recorded_at, place.size);
        self.due = if place.index.saturating_add(1) >= place.size { 0 } else { place.index + 1 };
        self.found.events += 1;
    }

    /// What was found before `error`, which hides what lies behind `at`.
    fn broken_off(mut self, at: Position, error: &StoreError) -> Walked {
        let reason = annals::error_text(error);
        self.found
            .report(format!("what follows position {at} was not walked, as it cannot be read: {reason}"));
        self.found.streams = self.versions.len() as u64;
        self.found
    }

    /// `head` is where the log says that it ends. An event whose stream is not there is shown to nobody.
    fn end(mut self, head: Position) -> Walked {
        if self.positions == Positions::Contiguous && self.position != head {
            self.found
                .report(format!("the log ends at {head}, and nothing is shown behind {}", self.position));
        }
        if self.due > 0 {
            let (position, due) = (self.position, self.due);
            self.found.report(format!("the log ends at {position}, where place {due} of a commit was due"));
        }
        self.found.streams = self.versions.len() as u64;
        self.found
    }
}

#[cfg(test)]
mod tests;
