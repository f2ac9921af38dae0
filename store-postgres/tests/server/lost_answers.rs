//! C12 at its hardest: the commit is durable, and its answer never comes.

use crate::{
    place::{Place, at, number, to},
    proxy::Proxy,
};
use annals::{Aggregate, AppendError, Context, DomainEvent, Engine, EventStore, Expected, Position, Version};
use annals_postgres::PostgresStore;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The answer to an append is swallowed behind the server's back; the same commit, sent again, gets its first result.
///
/// Control: where `0010_append_checked.sql` never tells a repeat (`IF false AND` in place of `IF k_event[k] = e_first
/// AND`), the second sending is refused as a duplicate.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_was_lost_gets_its_first_result() {
    let Some(place) = Place::new() else { return };
    let proxy = Proxy::to(place.address()).await;
    let store = PostgresStore::open(&place.url_at(proxy.port).parse().unwrap()).await.unwrap();
    store.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    for round in 1..=10 {
        let commit = to("order-1", at(round), 1);
        proxy.swallow(true);
        let lost = store.append(commit.clone()).await.unwrap_err();
        assert!(matches!(&lost, AppendError::Store(error) if error.is_transient()), "{lost}");
        proxy.swallow(false);
        let again = loop {
            match store.append(commit.clone()).await {
                Err(AppendError::Store(error)) if error.is_transient() => {}
                answer => break answer.unwrap(),
            }
        };
        assert_eq!(again.position, Position::new(round + 1));
        let stored = number(&mut place.raw().await, "SELECT count(*) FROM log").await;
        assert_eq!(stored.unsigned_abs(), round + 1, "each commit is there once");
    }
}

/// A seat that one may take: whoever asks again is refused by the rules, unless it is the same command.
#[derive(Debug, Default, Clone)]
struct Seat {
    is_taken: bool,
}

#[derive(Debug, Serialize, Deserialize)]
enum SeatEvent {
    Taken,
    Left,
}

#[derive(Debug, Clone, Copy)]
enum SeatCommand {
    Take,
    Leave,
}

#[derive(Debug, thiserror::Error)]
#[error("the seat is taken")]
struct IsTaken;

impl DomainEvent for SeatEvent {
    const CATEGORY: &'static str = "seat";
}

impl Aggregate for Seat {
    type Id = str;
    type Command = SeatCommand;
    type Event = SeatEvent;
    type Rejection = IsTaken;

    fn decide(&self, command: &SeatCommand) -> Result<Vec<SeatEvent>, IsTaken> {
        match command {
            SeatCommand::Take if self.is_taken => Err(IsTaken),
            SeatCommand::Take => Ok(vec![SeatEvent::Taken]),
            SeatCommand::Leave => Ok(vec![SeatEvent::Left]),
        }
    }

    fn evolve(&mut self, event: &SeatEvent) {
        self.is_taken = matches!(event, SeatEvent::Taken);
    }
}

/// The engine sends it again by itself, and whoever asked for it never hears that its first answer was lost.
///
/// Control: as above; the command then fails, as a duplicate.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_answer_was_lost_is_answered_with_its_first_result() {
    const LOST: u32 = 10;
    const ROUNDS_MAX: u32 = 10 * LOST;
    /// So often it is asked whether the command has become durable: a small part of the time for which the engine
    /// tries again. Where the connection was cut before, it has not, and that round tells nothing.
    const LOOKS_MAX: u32 = 200;
    let Some(place) = Place::new() else { return };
    let proxy = Proxy::to(place.address()).await;
    let store = PostgresStore::open(&place.url_at(proxy.port).parse().unwrap()).await.unwrap();
    let engine = Engine::new(Arc::new(store));
    let mut raw = place.raw().await;
    let (mut lost, mut before) = (0, 1);
    engine.execute::<Seat>("1", &SeatCommand::Leave, Context::new()).await.unwrap();
    for _ in 0..ROUNDS_MAX {
        proxy.swallow(true);
        let durable = async {
            for _ in 0..LOOKS_MAX {
                if number(&mut raw, "SELECT count(*) FROM log").await.unsigned_abs() > before {
                    break;
                }
            }
            proxy.swallow(false);
        };
        let (done, ()) =
            tokio::join!(engine.execute::<Seat>("1", &SeatCommand::Take, Context::new()), durable);
        let done = done.unwrap();
        lost += u32::from(done.repeated);
        assert_eq!((done.version, done.position), (Version::new(before + 1), Position::new(before + 1)));
        let refused = engine.execute::<Seat>("1", &SeatCommand::Take, Context::new()).await.unwrap_err();
        assert!(refused.rejection().is_some(), "another command is refused by the rules");
        engine.execute::<Seat>("1", &SeatCommand::Leave, Context::new()).await.unwrap();
        before += 2;
        assert_eq!(
            number(&mut raw, "SELECT count(*) FROM log").await.unsigned_abs(),
            before,
            "each is there once"
        );
        if lost == LOST {
            return;
        }
    }
    panic!("of {ROUNDS_MAX} answers only {lost} were lost behind what had become durable")
}
