//! From a recorded event to today's shape of it, through the upcast chain.

use crate::{
    DomainEvent, Position, RecordedEvent, StreamId, Version, codec,
    upcast::{Step, UPCAST_STEPS_MAX, Upcast, current_version, is_whole},
};
use serde_json::Value;
use std::borrow::Cow;

/// Why a recorded event cannot be read by this program.
#[derive(Debug, thiserror::Error)]
#[error("{event_type} in {stream} at version {version} (position {position}) {problem}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The stream of the event.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Its place in the log.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// What is wrong with it.
    #[source]
    pub problem: DecodeProblem,
}

/// What is wrong with an event that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// No variant has that name.
    #[error(
        "is not a type that this program knows: a newer one wrote it, or a variant was renamed without an upcast"
    )]
    UnknownType,
    /// A newer program wrote it.
    #[error("has schema version {stored}, this program knows up to {known}: update the program")]
    NewerSchema {
        /// Its schema version.
        stored: u32,
        /// The newest one known here.
        known: u32,
    },
    /// An upcast refused it.
    #[error("cannot be upcast: {0}")]
    Upcast(String),
    /// The payload does not have the shape of its type.
    #[error("has a payload of another shape: {0}")]
    Body(#[source] serde_json::Error),
}

/// Reads one recorded event in today's shape; calls `each` once, or as often as an upcast splits it.
pub fn decode_recorded<E: DomainEvent>(
    recorded: &RecordedEvent,
    each: &mut dyn FnMut(E),
) -> Result<(), DecodeError> {
    const { assert!(is_whole(E::UPCASTS), "the upcasts of a type must be numbered 1, 2, 3… in order") }
    decode_parts(&recorded.event_type, recorded.schema_version, recorded.payload.as_str(), each)
        .map_err(|problem| DecodeError::new(recorded, problem))
}

impl DecodeError {
    fn new(recorded: &RecordedEvent, problem: DecodeProblem) -> Self {
        Self {
            stream: recorded.stream.clone(),
            version: recorded.version,
            position: recorded.position,
            event_type: recorded.event_type.to_string(),
            problem,
        }
    }

    /// `recorded` is of no type that the reader knows.
    pub fn unknown_type(recorded: &RecordedEvent) -> Self {
        Self::new(recorded, DecodeProblem::UnknownType)
    }
}

/// The same without a place in the log: for golden files and copies.
pub(crate) fn decode_parts<E: DomainEvent>(
    event_type: &str,
    schema_version: u32,
    payload: &str,
    each: &mut dyn FnMut(E),
) -> Result<(), DecodeProblem> {
    let known = current_version(E::UPCASTS, event_type);
    if schema_version == known {
        each(read::<E>(event_type, payload)?);
        return Ok(());
    }
    if schema_version > known {
        return Err(DecodeProblem::NewerSchema { stored: schema_version, known });
    }
    let body: Value = serde_json::from_str(payload).map_err(DecodeProblem::Body)?;
    // A stack, so that what a split makes is read in its order: the next one is last.
    let mut waiting = vec![(Cow::Borrowed(event_type), schema_version, body)];
    let mut steps = 0;
    while let Some((name, version, body)) = waiting.pop() {
        let known = current_version(E::UPCASTS, &name);
        if version > known {
            return Err(DecodeProblem::Upcast(format!(
                "a step made {name} of schema version {version}, known is {known}"
            )));
        }
        let Some(upcast) = E::UPCASTS.iter().find(|u| u.from == name && u.version == version) else {
            each(read::<E>(&name, &body.to_string())?);
            continue;
        };
        steps += 1;
        if steps > UPCAST_STEPS_MAX {
            return Err(DecodeProblem::Upcast(format!("the steps go in circles at {name}")));
        }
        take_step(upcast, body, &mut waiting)?;
    }
    Ok(())
}

fn take_step<'a>(
    upcast: &Upcast,
    body: Value,
    waiting: &mut Vec<(Cow<'a, str>, u32, Value)>,
) -> Result<(), DecodeProblem> {
    let refused =
        |reason: &str| DecodeProblem::Upcast(format!("{} {}: {reason}", upcast.from, upcast.version));
    match upcast.step {
        Step::Rename(to, version) => waiting.push((Cow::Borrowed(to), version, body)),
        Step::Body(change) => {
            let body = change(body).map_err(refused)?;
            waiting.push((Cow::Borrowed(upcast.from), upcast.version + 1, body));
        }
        Step::Split(change) => {
            let made = change(body).map_err(refused)?;
            waiting.extend(
                made.into_iter().rev().map(|(name, version, body)| (Cow::Borrowed(name), version, body)),
            );
        }
    }
    Ok(())
}

fn read<E: DomainEvent>(name: &str, body: &str) -> Result<E, DecodeProblem> {
    codec::decode(name, body).map_err(|error| {
        if codec::variants::<E>().is_some_and(|known| !known.contains(&name)) {
            return DecodeProblem::UnknownType;
        }
        DecodeProblem::Body(error)
    })
}

#[cfg(test)]
mod tests;
