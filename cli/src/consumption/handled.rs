//! Waiting until all that topics held is handled, by whoever handles it.

use super::{
    failing::{stands_still, stuck},
    reading::{Done, Reading},
};
use crate::{CliError, Progress, STANDSTILL_MAX, standstill::Standstill};
use annals::{GenerationState, PageLimit, Position, StoreError, SubscriberInfo, part_name};
use annals_kafka::{Consumer, TopicConsumed};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often it is looked how far the parts are.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The position of the last event of each partition, by its topic and number.
pub(super) type Ends = BTreeMap<(String, i32), Position>;

/// A partition that has not come to its end.
pub(super) struct Behind {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) at: Position,
    pub(super) end: Position,
    pub(super) holder: Option<String>,
    pub(super) failure: Option<String>,
}

/// How far several read models are, as one bar.
pub(super) struct Shown {
    progress: Progress,
    /// Of each read model how far it is, and how far it is to come.
    all: Mutex<BTreeMap<&'static str, (u64, u64)>>,
}

/// How far a read model is.
struct Look {
    behind: Vec<Behind>,
    /// The sum of all positions, none beyond its end.
    at: u64,
    moved: Moved,
}

/// What is different as long as anything is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Moved {
    /// The sum of all positions.
    at: u64,
    /// The keys for which somebody has asked for something that is not carried out yet, a page of them at most.
    asked: Vec<Arc<str>>,
    /// What this member has done, also where it is no step further.
    consumed: BTreeMap<String, TopicConsumed>,
}

impl Shown {
    pub(super) fn of(progress: Progress) -> Self {
        Self { progress, all: Mutex::default() }
    }

    fn at(&self, name: &'static str, at: u64, of: u64) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, (at, of));
        let (at, of) = all.values().fold((0, 0), |(at, of), one| (at + one.0, of + one.1));
        self.progress.at(at, of);
    }
}

impl Reading<'_> {
    /// Waits until the checkpoints of all parts are at `ends`, and what was asked for about parked events is carried
    /// out. The store tells, so it does not matter which member of the group does it.
    pub(super) async fn all_handled(
        &self,
        ends: &Ends,
        shown: &Shown,
        stop: &CancellationToken,
    ) -> Result<Done, CliError> {
        let of = ends.values().map(|end| end.get()).sum();
        let (mut standstill, mut behind, mut moved) =
            (Standstill::new(STANDSTILL_MAX), vec![], Moved::default());
        loop {
            match self.look(ends).await {
                Ok(look) => {
                    shown.at(self.projection.name(), look.at, of);
                    if look.behind.is_empty() && look.moved.asked.is_empty() {
                        return Ok(Done::Whole);
                    }
                    (behind, moved) = (look.behind, look.moved);
                }
                // Whoever runs the parts waits for the store too.
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(CliError::because(self.projection.name(), &error)),
            }
            if let Some(error) = self.stands_for_good(&behind) {
                return Err(error);
            }
            moved.consumed = self.consumed.topics();
            if !standstill.bears(moved.clone()) {
                return Err(stuck(self.projection.name(), self.group, behind.first()));
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_INTERVAL)).await.is_none() {
                return Ok(Done::Stopped);
            }
        }
    }

    /// Why, where all that are behind stand still until somebody has done something: those that go on are waited for
    /// first.
    fn stands_for_good(&self, behind: &[Behind]) -> Option<CliError> {
        let stopped = self.consumed.stopped();
        let why = |one: &Behind| {
            let is_it =
                |(topic, number, _): &&(String, i32, _)| (topic, *number) == (&one.topic, one.partition);
            stopped.iter().find(is_it).map(|(_, _, error)| error)
        };
        let all: Vec<_> = behind.iter().map(why).collect::<Option<_>>()?;
        all.first().map(|error| stands_still(self.projection.name(), error))
    }

    async fn look(&self, ends: &Ends) -> Result<Look, StoreError> {
        let all = self.documents.subscribers().await?;
        let live = |info: &&SubscriberInfo| info.state == GenerationState::Live;
        let live: BTreeMap<&str, &SubscriberInfo> =
            all.iter().filter(live).map(|info| (info.subscriber.name(), info)).collect();
        let name = self.projection.name();
        let into = live.get(name).map(|info| &info.subscriber);
        let mut look = Look { behind: vec![], at: 0, moved: Moved::default() };
        for ((topic, number), end) in ends {
            let generation = into.map_or(1, |into| into.generation());
            let part = live.get(&*part_name(name, generation, &Consumer::part(topic, *number)));
            let at = part.map_or(Position::START, |info| info.checkpoint);
            look.moved.at += at.get();
            look.at += at.min(*end).get();
            if at < *end {
                look.behind.push(Behind {
                    topic: topic.clone(),
                    partition: *number,
                    at,
                    end: *end,
                    holder: part.and_then(|info| info.holder.clone()),
                    failure: part.and_then(|info| Some(info.failure.as_ref()?.0.clone())),
                });
            }
        }
        if let Some(into) = into {
            let requests = self.documents.requests(into, PageLimit::DEFAULT).await?;
            look.moved.asked = requests.into_iter().map(|request| request.key).collect();
        }
        Ok(look)
    }
}
