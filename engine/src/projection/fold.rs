//! What a page of events makes of documents. Pure.

use crate::{
    Change, DOCUMENT_BYTES_MAX, DecodeError, EventSet, Json, PageWrite, Parked, Position, ProjectError,
    Projection, RecordedEvent, Slot, SubscriberError, error_text,
};
use chrono::{DateTime, Utc};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

/// The events of a page in today's shape, and the keys of the documents they touch.
pub(super) struct Touches<'a, P: Projection> {
    projection: &'a P,
    told: Vec<Told<'a, P::Event>>,
    keys: Vec<Arc<str>>,
    /// What follows a parked event under its key is parked behind it.
    in_order: bool,
}

/// One event, where it was recorded, and which of the page's keys it touches.
struct Told<'a, E> {
    recorded: &'a RecordedEvent,
    event: E,
    keys: Vec<usize>,
}

/// A document on its way through a page.
struct Lane<D> {
    before: Option<Json>,
    now: Option<D>,
    parked_before: bool,
    /// Something refused: the document is folded again, step by step.
    troubled: bool,
}

impl<'a, P: Projection> Touches<'a, P> {
    pub(super) fn of(projection: &'a P, events: &'a [RecordedEvent]) -> Result<Self, DecodeError> {
        let (mut told, mut keys) = (Vec::with_capacity(events.len()), vec![]);
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for recorded in events {
            P::Event::decode(recorded, &mut |event| {
                let place = |key: &Arc<str>| match places.entry(key.clone()) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        keys.push(key.clone());
                        *new.insert(keys.len() - 1)
                    }
                };
                let touched: Vec<usize> = projection.keys(&event, recorded).iter().map(place).collect();
                if !touched.is_empty() {
                    told.push(Told { recorded, event, keys: touched });
                }
            })?;
        }
        Ok(Self { projection, told, keys, in_order: true })
    }

    /// A refused event is parked alone: what follows it under its key goes on.
    pub(super) fn out_of_order(self) -> Self {
        Self { in_order: false, ..self }
    }

    /// Only what touches keys where `counts` says so, of an event at a position.
    pub(super) fn only_where(mut self, counts: impl Fn(&Arc<str>, Position) -> bool) -> Self {
        let keys = &self.keys;
        for told in &mut self.told {
            told.keys.retain(|place| counts(&keys[*place], told.recorded.position));
        }
        self
    }

    /// Only what touches `key`.
    pub(super) fn only(mut self, key: &Arc<str>) -> Self {
        let place = self.keys.iter().position(|known| known == key);
        self.told.retain(|told| place.is_some_and(|place| told.keys.contains(&place)));
        self.told.iter_mut().for_each(|told| told.keys = vec![0]);
        self.keys = vec![key.clone()];
        self
    }

    /// The documents to load, each once.
    pub(super) fn keys(&self) -> &[Arc<str>] {
        &self.keys
    }

    /// Folds the page into what is stored under its keys.
    pub(super) fn fold(&self, slots: Vec<Slot>, now: DateTime<Utc>) -> Result<PageWrite, SubscriberError> {
        let all: Vec<usize> = (0..self.keys.len()).collect();
        self.fold_part(&all, Position::START, slots, now)
    }

    /// Folds what lies behind a position into what is stored under some of the keys.
    pub(super) fn fold_part(
        &self,
        places: &[usize],
        behind: Position,
        slots: Vec<Slot>,
        now: DateTime<Utc>,
    ) -> Result<PageWrite, SubscriberError> {
        let mut lane_of = vec![usize::MAX; self.keys.len()];
        let mut lanes = Vec::with_capacity(slots.len());
        for (slot, &place) in slots.into_iter().zip(places) {
            let document = self.read(&self.keys[place], slot.document.as_ref())?;
            lane_of[place] = lanes.len();
            lanes.push(Lane {
                before: slot.document,
                now: document,
                parked_before: self.in_order && slot.parked,
                troubled: self.in_order && slot.parked,
            });
        }
        for told in self.told.iter().filter(|told| told.recorded.position > behind) {
            for &place in &told.keys {
                let Some(lane) = lanes.get_mut(lane_of[place]).filter(|lane| !lane.troubled) else {
                    continue;
                };
                match self.projection.project(&self.keys[place], lane.now.take(), &told.event, told.recorded)
                {
                    Ok(document) => lane.now = document,
                    Err(_) => lane.troubled = true,
                }
            }
        }
        let mut write = PageWrite::default();
        for (&place, lane) in places.iter().zip(lanes) {
            let after = if lane.troubled { None } else { checked_json(&lane.now).ok() };
            match after {
                Some(after) => change(&self.keys[place], lane.before, after, &mut write),
                None => self.fold_carefully(place, behind, lane, now, &mut write)?,
            }
        }
        Ok(write)
    }

    /// Folds one document event by event: up to the first that is refused, which is parked with all behind it, or
    /// alone.
    fn fold_carefully(
        &self,
        place: usize,
        behind: Position,
        lane: Lane<P::Document>,
        now: DateTime<Utc>,
        write: &mut PageWrite,
    ) -> Result<(), SubscriberError> {
        let key = &self.keys[place];
        let (mut good, mut parked) = (lane.before.clone(), lane.parked_before);
        let touching: Vec<&Told<'_, P::Event>> = self
            .told
            .iter()
            .filter(|told| told.recorded.position > behind && told.keys.contains(&place))
            .collect();
        // What an upcast made of one recorded event counts as a whole or not at all.
        for several in touching.chunk_by(|a, b| a.recorded.position == b.recorded.position) {
            let recorded = several[0].recorded;
            let refusal =
                if parked { Some(String::new()) } else { self.try_events(key, &mut good, several)? };
            if let Some(error) = refusal {
                parked = self.in_order;
                let attempts = u32::from(!error.is_empty());
                write.park.push(Parked {
                    key: key.clone(),
                    position: recorded.position,
                    stream: recorded.stream.clone(),
                    version: recorded.version,
                    error,
                    attempts,
                    parked_at: now,
                });
            }
        }
        change(key, lane.before, good, write);
        Ok(())
    }

    /// Takes what came of one recorded event into `good`, or leaves it and says why.
    fn try_events(
        &self,
        key: &Arc<str>,
        good: &mut Option<Json>,
        several: &[&Told<'_, P::Event>],
    ) -> Result<Option<String>, SubscriberError> {
        let mut document = self.read(key, good.as_ref())?;
        for told in several {
            match self.projection.project(key, document, &told.event, told.recorded) {
                Ok(after) => document = after,
                Err(refusal) => return Ok(Some(error_text(&refusal))),
            }
        }
        match checked_json(&document) {
            Ok(after) => {
                *good = after;
                Ok(None)
            }
            Err(refusal) => Ok(Some(error_text(&refusal))),
        }
    }

    fn read(&self, key: &Arc<str>, json: Option<&Json>) -> Result<Option<P::Document>, SubscriberError> {
        json.map(|json| json.read()).transpose().map_err(|error| SubscriberError::Document {
            subscriber: P::NAME.to_string(),
            doing: "read",
            key: key.clone(),
            source: error.into(),
        })
    }
}

fn change(key: &Arc<str>, before: Option<Json>, after: Option<Json>, write: &mut PageWrite) {
    match (before, after) {
        (before, Some(after)) if before.as_ref() != Some(&after) => {
            write.changes.push((key.clone(), Change::Put(after)));
        }
        (Some(_), None) => write.changes.push((key.clone(), Change::Delete)),
        _ => {}
    }
}

/// The document as JSON, if every store can keep it.
fn checked_json<D: serde::Serialize>(document: &Option<D>) -> Result<Option<Json>, ProjectError> {
    let Some(document) = document else { return Ok(None) };
    let json = Json::of(document)
        .map_err(|error| ProjectError::because("the document cannot be written as JSON", error))?;
    if json.bytes() > DOCUMENT_BYTES_MAX {
        let is = json.bytes();
        return Err(ProjectError::new(format!(
            "the document would have {is} bytes, at most {DOCUMENT_BYTES_MAX} are allowed"
        )));
    }
    if json.holds_nul() {
        return Err(ProjectError::new("the document would hold U+0000, which no store of documents takes"));
    }
    Ok(Some(json))
}
