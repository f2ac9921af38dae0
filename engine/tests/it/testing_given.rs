//! The words that tests of a domain are written in, and that they can fail.

use annals::testing::{given, projecting, reacting};
use annals::{
    Aggregate, DomainEvent, Issued, Keys, Policy, ProjectError, Projection, RecordedEvent, event_set,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Counted {
    Up(u32),
    Down(u32),
    /// Reads back as another than it was written.
    Forgetful {
        #[serde(deserialize_with = "zero")]
        what: u32,
    },
}

fn zero<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    u32::deserialize(from).map(|_| 0)
}

impl DomainEvent for Counted {
    const CATEGORY: &'static str = "counter";
}

#[derive(Debug, Default, Clone)]
struct Counter(u32);

#[derive(Debug, PartialEq)]
enum Count {
    By(i32),
    Badly,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("cannot go {by} below {at}")]
struct BelowZero {
    at: u32,
    by: u32,
}

impl Aggregate for Counter {
    type Id = str;
    type Command = Count;
    type Event = Counted;
    type Rejection = BelowZero;

    fn decide(&self, command: &Count) -> Result<Vec<Counted>, BelowZero> {
        match *command {
            Count::By(0) => Ok(vec![]),
            Count::By(n) if n > 0 => Ok(vec![Counted::Up(n.unsigned_abs())]),
            Count::By(n) if n.unsigned_abs() > self.0 => Err(BelowZero { at: self.0, by: n.unsigned_abs() }),
            Count::By(n) => Ok(vec![Counted::Down(n.unsigned_abs())]),
            Count::Badly => Ok(vec![Counted::Forgetful { what: 7 }]),
        }
    }

    fn evolve(&mut self, event: &Counted) {
        match event {
            Counted::Up(n) => self.0 += n,
            Counted::Down(n) => self.0 -= n,
            Counted::Forgetful { .. } => {}
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Rang {
    Once,
}

impl DomainEvent for Rang {
    const CATEGORY: &'static str = "bell";
}

event_set! {
    enum Heard { Counted(Counted), Rang(Rang) }
}

struct Tally;

impl Projection for Tally {
    const NAME: &'static str = "tally";
    type Event = Heard;
    type Document = u32;

    fn keys(&self, event: &Heard, recorded: &RecordedEvent) -> Keys {
        match event {
            Heard::Counted(_) => [recorded.key(), "all"].into_iter().collect(),
            Heard::Rang(_) => Keys::from("all"),
        }
    }

    fn project(
        &self,
        _: &str,
        before: Option<u32>,
        event: &Heard,
        _: &RecordedEvent,
    ) -> Result<Option<u32>, ProjectError> {
        let before = before.unwrap_or_default();
        match event {
            Heard::Counted(Counted::Up(n)) => Ok(Some(before + n)),
            Heard::Counted(Counted::Down(n)) if *n == before => Ok(None),
            Heard::Counted(Counted::Down(n)) => {
                before.checked_sub(*n).map(Some).ok_or_else(|| ProjectError::new("below zero"))
            }
            Heard::Counted(Counted::Forgetful { .. }) | Heard::Rang(_) => Ok(Some(before)),
        }
    }
}

struct RingAtTen;

impl Policy for RingAtTen {
    const NAME: &'static str = "ring-at-ten";
    type Event = Counted;

    fn react(&self, event: &Counted, recorded: &RecordedEvent) -> Vec<Issued> {
        match event {
            Counted::Up(10) => vec![Issued::to::<Counter>(recorded.key(), Count::By(-10))],
            Counted::Up(11) => vec![Issued::to::<Counter>("", Count::By(-11))],
            _ => vec![],
        }
    }
}

/// What the test says when it fails; it must.
fn failure<T>(test: impl FnOnce() -> T) -> String {
    let failed = catch_unwind(AssertUnwindSafe(test)).map(|_| ()).expect_err("the test should have failed");
    failed.downcast_ref::<String>().cloned().expect("a formatted message")
}

#[test]
fn a_test_of_an_aggregate_goes_on_from_what_it_decided() {
    let at_the_end = given::<Counter>([Counted::Up(3)])
        .when(Count::By(2))
        .then([Counted::Up(2)])
        .when(Count::By(0))
        .then_nothing()
        .when(Count::By(-6))
        .then_rejected(BelowZero { at: 5, by: 6 })
        .when(Count::By(-5))
        .then([Counted::Down(5)]);
    assert_eq!(at_the_end.state().0, 0);
}

#[test]
fn a_test_of_an_aggregate_fails_with_what_was_expected_and_what_was_decided() {
    let decided = failure(|| given::<Counter>([]).when(Count::By(2)).then([Counted::Up(3)]));
    assert!(decided.contains("Up(3)") && decided.contains("Up(2)"), "{decided}");
    let refused = failure(|| given::<Counter>([]).when(Count::By(-2)).then_nothing());
    assert!(refused.contains("cannot go 2 below 0"), "{refused}");
    let reason = BelowZero { at: 1, by: 2 };
    let otherwise = failure(|| given::<Counter>([]).when(Count::By(-2)).then_rejected(reason));
    assert!(otherwise.contains("at: 1") && otherwise.contains("at: 0"), "{otherwise}");
    let reason = BelowZero { at: 0, by: 2 };
    let accepted = failure(|| given::<Counter>([]).when(Count::By(2)).then_rejected(reason));
    assert!(accepted.contains("did not refuse") && accepted.contains("Up(2)"), "{accepted}");
}

#[test]
fn an_event_that_reads_as_another_than_was_written_fails_the_test() {
    let forgotten = Counted::Forgetful { what: 7 };
    let decided = failure(|| given::<Counter>([]).when(Count::Badly).then([forgotten.clone()]));
    assert!(decided.contains("what: 7") && decided.contains("what: 0"), "{decided}");
    let history = failure(|| given::<Counter>([forgotten]));
    assert!(history.contains("reads as another"), "{history}");
}

#[test]
fn a_test_of_a_projection_sees_documents_deletions_and_refusals() {
    projecting(Tally)
        .given("counter-a", [Counted::Up(3), Counted::Down(1)])
        .given("bell-tower", [Rang::Once])
        .given("counter-b", [Counted::Up(2), Counted::Down(2)])
        .given("acme/counter-c", [Counted::Down(9), Counted::Up(1)])
        .then_document("a", 2)
        .then_no_document("b")
        .then_refused("c", "below zero")
        .then_no_document("c")
        .then_refused("all", "below zero")
        .then_document("all", 2);
}

#[test]
fn a_test_of_a_projection_fails_with_what_was_expected_and_what_is() {
    let ups = || projecting(Tally).given("counter-a", [Counted::Up(3)]);
    let other = failure(|| ups().then_document("a", 4));
    assert!(other.contains("expected: 4") && other.contains("is:       3"), "{other}");
    let none = failure(|| ups().then_document("z", 4));
    assert!(none.contains("no document \"z\""), "{none}");
    let some = failure(|| ups().then_no_document("a"));
    assert!(some.contains("is: 3"), "{some}");
    let accepted = failure(|| ups().then_refused("a", "below zero"));
    assert!(accepted.contains("no event of \"a\" was refused"), "{accepted}");
    let elsewhere = failure(|| projecting(Tally).given("bell-a", [Counted::Up(3)]));
    assert!(elsewhere.contains("live in counter"), "{elsewhere}");
}

#[test]
fn a_test_of_a_policy_sees_the_commands_and_fails_on_others() {
    reacting(RingAtTen)
        .to("counter-a", Counted::Up(10))
        .issues([Issued::to::<Counter>("a", Count::By(-10))])
        .to("bell-a", Rang::Once)
        .issues_nothing();
    let otherwise = failure(|| reacting(RingAtTen).to("counter-a", Counted::Up(10)).issues_nothing());
    assert!(otherwise.contains("counter-a: By(-10)"), "{otherwise}");
    let nowhere = failure(|| reacting(RingAtTen).to("counter-a", Counted::Up(11)));
    assert!(nowhere.contains("goes to no stream"), "{nowhere}");
}
