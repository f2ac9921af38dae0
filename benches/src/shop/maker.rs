use super::{Line, OrderEvent};
use annals::{CommandId, EventData, Json, StreamId};
use anyhow::Context;
use uuid::Uuid;

/// How many customers there are: each has a document of its own.
pub const CUSTOMERS: u32 = 100_000;

/// How many articles there are: few, so that their documents are hot.
pub const SKUS: u32 = 50;

const GOODS: [&str; 6] = [
    "White hanging heart T-light holder",
    "Regency cakestand, three tiers",
    "Jumbo bag red retrospot",
    "Assorted colour bird ornament",
    "Set of 60 pantry design cake cases",
    "Hand warmer scotty dog design",
];

const COUNTRIES: [&str; 4] = ["United Kingdom", "Netherlands", "Germany", "France"];

/// When the first command was given: in milliseconds since 1970.
const BEGAN_MS: u64 = 1_772_000_000_000;

/// How many commands are given in a millisecond: that decides how ids lie in their index.
const COMMANDS_A_MS: u64 = 80;

/// Makes events, the same ones from the same seed.
#[derive(Debug)]
pub struct Maker {
    random: fastrand::Rng,
    commands: u64,
}

impl Maker {
    /// Two makers with different seeds make different ids.
    pub fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), commands: 0 }
    }

    /// A line of an order.
    pub fn line(&mut self) -> Line {
        let random = &mut self.random;
        let second = random.u32(0..86_400);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        Line {
            customer: format!("C{:06}", random.u32(0..CUSTOMERS)),
            sku: format!("SKU-{:05}", random.u32(0..SKUS)),
            description: GOODS[random.usize(0..GOODS.len())].into(),
            quantity: random.u32(1..48),
            unit_price_minor: random.u64(85..12_000),
            currency: "GBP".into(),
            country: COUNTRIES[random.usize(0..COUNTRIES.len())].into(),
            warehouse: format!("LON-{}", random.u32(1..10)),
            ordered_at: format!("2026-03-04T{hour:02}:{minute:02}:{:02}Z", second % 60),
        }
    }

    /// The id of the next command: a UUIDv7, some tens of which share a millisecond.
    pub fn command(&mut self) -> CommandId {
        let ms = BEGAN_MS + self.commands / COMMANDS_A_MS;
        self.commands += 1;
        let random: [u8; 10] = std::array::from_fn(|_| self.random.u8(..));
        CommandId::new(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
    }

    /// The events that one command leaves in `stream`, as the engine would hand them to the store.
    ///
    /// # Errors
    /// When an event cannot be encoded.
    pub fn events(&mut self, stream: &StreamId, count: u32) -> anyhow::Result<Vec<EventData>> {
        let command = self.command();
        let metadata = Json::stored(format!(r#"{{"command_id":"{}"}}"#, Uuid::hyphenated(command.uuid())));
        let encode = |ordinal| {
            let line = self.line();
            let returned = self.random.u32(0..16) == 0;
            let event = if returned { OrderEvent::LineReturned(line) } else { OrderEvent::LineAdded(line) };
            EventData::of(command.event(stream, ordinal), &event, metadata.clone())
                .context("cannot encode an event")
        };
        (0..count).map(encode).collect()
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.random.usize(0..bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn payloads_are_of_the_promised_size_and_ids_are_never_twice() {
        let mut maker = Maker::new(1);
        let stream: StreamId = "order-1".parse().unwrap();
        let events: Vec<EventData> = (0..1_000).flat_map(|_| maker.events(&stream, 2).unwrap()).collect();
        let sizes: Vec<usize> = events.iter().map(|event| event.payload.bytes()).collect();
        assert!(
            sizes.iter().all(|size| (200..=240).contains(size)),
            "{:?}",
            (sizes.iter().min(), sizes.iter().max())
        );
        assert_eq!(events.iter().map(|event| event.id).collect::<HashSet<_>>().len(), events.len());
    }

    #[test]
    fn the_same_seed_makes_the_same_events() {
        let stream: StreamId = "order-1".parse().unwrap();
        let events = |seed| format!("{:?}", Maker::new(seed).events(&stream, 3).unwrap());
        assert_eq!(events(7), events(7));
        assert_ne!(events(7), events(8));
    }
}
