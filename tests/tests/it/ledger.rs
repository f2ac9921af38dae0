//! What a story was told is acknowledged, held against what the log holds.

use annals::{EventId, EventStore, LogFilter, PageLimit, Position, RecordedEvent};
use annals_sqlite::SqliteStore;
use annals_tests::Report;
use std::collections::{BTreeMap, HashMap};

/// What a process acknowledged, before it was killed or not.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Each event that was acknowledged, and where it was said to be.
    events: HashMap<EventId, Place>,
    /// The first answer to each command.
    answers: HashMap<String, Report>,
    /// How many answers came again, equal to the first.
    pub(crate) repeats: u64,
    /// What contradicts itself.
    problems: Vec<String>,
}

#[derive(Debug, Clone)]
struct Place {
    stream: String,
    /// Version and position, where they were told.
    at: Option<(u64, u64)>,
}

impl Ledger {
    /// Takes in what a process told.
    pub(crate) fn take(&mut self, report: &Report) {
        match report {
            Report::Acknowledged { stream, events, version, position } => {
                for (back, id) in (0..).zip(events.iter().rev()) {
                    let at = version.zip(*position).map(|(v, p)| (v.get() - back, p.get() - back));
                    let place = Place { stream: stream.clone(), at };
                    if self.events.insert(*id, place).is_some_and(|before| before.at.is_some()) {
                        self.problems.push(format!("event {id} was acknowledged twice as new"));
                    }
                }
            }
            Report::Answered { command, stream, version, position, events, repeated, .. } => {
                let key = format!("{stream} {command}");
                let Some(first) = self.answers.get(&key) else {
                    self.answers.insert(key, report.clone());
                    return;
                };
                let Report::Answered { version: v, position: p, events: e, .. } = first else { return };
                self.repeats += 1;
                if (v, p, e) != (version, position, events) || !repeated {
                    self.problems.push(format!("{key} was answered {first:?}, then {report:?}"));
                }
            }
            Report::Failed { what, error } => self.problems.push(format!("{what} failed: {error}")),
            _ => {}
        }
    }

    /// How many events were acknowledged.
    pub(crate) fn events(&self) -> usize {
        self.events.len()
    }

    /// How many commands were answered.
    pub(crate) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// What is wrong with the log in the light of all this; empty when nothing is.
    pub(crate) async fn problems(&self, store: &SqliteStore) -> Vec<String> {
        let log = whole_log(store).await;
        let mut problems = self.problems_in(&log);
        let checked = store.check(|_, _| {}).await.unwrap();
        assert_eq!(checked.events, log.len() as u64, "nobody writes meanwhile");
        problems.extend(checked.problems.iter().map(ToString::to_string));
        problems
    }

    /// The same for a log of any store, read whole.
    pub(crate) fn problems_in(&self, log: &[RecordedEvent]) -> Vec<String> {
        let mut problems = self.problems.clone();
        problems.extend(self.missing(log));
        problems.extend(disorder(log));
        problems
    }

    fn missing(&self, log: &[RecordedEvent]) -> Vec<String> {
        let mut stored: HashMap<EventId, Vec<&RecordedEvent>> = HashMap::new();
        for event in log {
            stored.entry(event.id).or_default().push(event);
        }
        let mut problems = vec![];
        for (id, place) in &self.events {
            match stored.get(id).map(Vec::as_slice) {
                None => problems.push(format!("event {id} of {} was acknowledged and is lost", place.stream)),
                Some([one]) => {
                    let is = (one.version.get(), one.position.get());
                    if one.stream.as_str() != place.stream || place.at.is_some_and(|told| told != is) {
                        problems.push(format!("event {id} is at {is:?} of {}, not {place:?}", one.stream));
                    }
                }
                Some(several) => problems.push(format!("event {id} is stored {} times", several.len())),
            }
        }
        for answer in self.answers.values() {
            let Report::Answered { stream, version, position, .. } = answer else { continue };
            let there = |event: &RecordedEvent| event.stream.as_str() == stream && event.version == *version;
            let index = (position.get() as usize).checked_sub(1);
            if !index.and_then(|index| log.get(index)).is_some_and(there) {
                problems.push(format!("{answer:?} points at something else"));
            }
        }
        problems
    }
}

/// Positions, versions and commits of a whole log, looked at independently of the store's own check.
pub(crate) fn disorder(log: &[RecordedEvent]) -> Vec<String> {
    let mut problems = vec![];
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    let mut due = 0;
    for (position, event) in (1..).zip(log) {
        let version = versions.entry(event.stream.as_str()).or_default();
        *version += 1;
        if event.position.get() != position || event.version.get() != *version {
            problems
                .push(format!("{} at {} should be {version} at {position}", event.stream, event.position));
        }
        if event.commit.index != due {
            problems.push(format!("position {position} is {:?}, where {due} was due", event.commit));
        }
        due = if event.commit.index + 1 == event.commit.size { 0 } else { event.commit.index + 1 };
    }
    if due != 0 {
        problems.push(format!("the last commit lacks what follows place {due}"));
    }
    problems
}

/// Everything in the log.
pub(crate) async fn whole_log(store: &dyn EventStore) -> Vec<RecordedEvent> {
    let (mut log, mut at) = (vec![], Position::START);
    loop {
        let page = store.read_log(at, PageLimit::MAX, &LogFilter::all()).await.unwrap();
        log.extend(page.events);
        if page.looked == at {
            return log;
        }
        at = page.looked;
    }
}
