//! The read model of parcels, in documents.

use crate::broker::CATEGORY;
use annals::{DomainEvent, Keys, ProjectError, Projection, RecordedEvent};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ParcelEvent {
    Noted { n: u64 },
}

impl DomainEvent for ParcelEvent {
    const CATEGORY: &'static str = CATEGORY;
}

/// How many events there were of each parcel, and the number of the last one.
#[derive(Debug, Clone)]
pub(crate) struct Parcels;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Parcel {
    pub(crate) notes: u64,
    last: u64,
}

impl Projection for Parcels {
    const NAME: &'static str = "parcels";
    type Event = ParcelEvent;
    type Document = Parcel;

    fn keys(&self, _: &ParcelEvent, recorded: &RecordedEvent) -> Keys {
        Keys::from(recorded.key())
    }

    fn project(
        &self,
        _: &str,
        before: Option<Parcel>,
        ParcelEvent::Noted { n }: &ParcelEvent,
        _: &RecordedEvent,
    ) -> Result<Option<Parcel>, ProjectError> {
        Ok(Some(Parcel { notes: before.unwrap_or_default().notes + 1, last: *n }))
    }
}
