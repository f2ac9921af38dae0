//! What dead-letter topics keep of parked events.

use super::{
    Letters,
    told::{Letter, Place},
};
use crate::{
    CliError, EventShown, StoreUrl,
    publication::{cluster, kafka_failed},
};
use annals::{Parked, Position, SubscriberId, SubscriberInfo};
use annals_kafka::{DeadLetter, DeadLetters};
use std::{collections::HashSet, sync::Arc};

/// A dead letter, as much of it as is wanted.
struct Read {
    place: (Arc<str>, Position),
    letter: Letter,
}

impl Letters {
    /// What is kept of `parked`, events of the read model `of`, which `parts` fill; with `whole`, also what they say.
    ///
    /// # Errors
    /// When the cluster does not answer, or the URL is none.
    pub(crate) async fn of(
        url: &StoreUrl,
        of: &SubscriberId,
        parts: &[SubscriberInfo],
        parked: &[Parked],
        whole: bool,
    ) -> Result<Self, CliError> {
        let options = cluster("--kafka", url)?;
        let failed = |error| kafka_failed(of.name(), &error);
        let kept = DeadLetters::filling(options, parts, of).await.map_err(failed)?;
        let (name, wanted) = (of.name().to_string(), parked.iter().map(Wanted::of).collect::<HashSet<_>>());
        let pick = move |letter: DeadLetter| {
            let is_wanted = letter.subscriber == name && wanted.contains(&Wanted::is(&letter));
            is_wanted.then(|| (read(&letter, whole), (whole && letter.omitted.is_some()).then_some(letter)))
        };
        let mut letters = Self::default();
        for (Read { place, mut letter }, without_value) in kept.select(pick).await.map_err(failed)? {
            if let Some(without_value) = without_value {
                let original = kept.original(&without_value).await.map_err(failed)?;
                letter.event = original.as_ref().map(EventShown::from);
            }
            let known = letters.0.remove(&place).unwrap_or_default();
            let copies = [known.copies, letter.copies].concat();
            letters.0.insert(place, Letter { copies, ..letter });
        }
        Ok(letters)
    }
}

/// What a dead letter is found by.
#[derive(PartialEq, Eq, Hash)]
struct Wanted {
    key: String,
    position: Position,
    stream: String,
}

impl Wanted {
    fn of(parked: &Parked) -> Self {
        let (key, stream) = (parked.key.to_string(), parked.stream.to_string());
        Self { key, position: parked.position, stream }
    }

    fn is(letter: &DeadLetter) -> Self {
        let (key, stream) = (letter.key.clone(), letter.event.stream.to_string());
        Self { key, position: letter.event.position, stream }
    }
}

fn read(letter: &DeadLetter, whole: bool) -> Read {
    let DeadLetter { key, topic, partition, offset, event, copy, headers, .. } = letter;
    let place = |topic: &str, partition, offset| Place { topic: topic.into(), partition, offset };
    let mut read = Letter {
        r#type: Some(event.event_type.to_string()),
        from: Some(place(topic, *partition, *offset)),
        copies: vec![place(&copy.topic, copy.partition, copy.offset)],
        ..Letter::default()
    };
    if whole {
        read.headers = headers.iter().cloned().collect();
        read.event = letter.omitted.is_none().then(|| EventShown::from(event));
    }
    Read { place: (key.as_str().into(), event.position), letter: read }
}
