//! The properties of aggregates hold for a sound one, and each notices an aggregate that breaks it.

use annals::testing::{
    check_commands, check_folds, check_repeats,
    proptest::{prelude::*, test_runner::Config},
};
use annals::{Aggregate, DomainEvent, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Moved {
    In(u8),
    Out(u8),
}

impl DomainEvent for Moved {
    const CATEGORY: &'static str = "account";
}

#[derive(Debug, Clone)]
enum Command {
    Deposit(u8),
    Withdraw(u8),
}

#[derive(Debug, thiserror::Error)]
#[error("overdrawn")]
struct Overdrawn;

/// Sound, unless one of its faults is chosen.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Account<const FAULT: u8> {
    cents: i64,
    #[serde(skip_serializing_if = "is_forgotten::<FAULT>", default)]
    moves: u32,
}

const SOUND: u8 = 0;
const OVERDRAWS: u8 = 1;
const SNAPSHOT_FORGETS: u8 = 2;
const READS_A_CLOCK: u8 = 3;

fn is_forgotten<const FAULT: u8>(_: &u32) -> bool {
    FAULT == SNAPSHOT_FORGETS
}

static CLOCK: AtomicU32 = AtomicU32::new(0);

impl<const FAULT: u8> Aggregate for Account<FAULT> {
    type Id = str;
    type Command = Command;
    type Event = Moved;
    type Rejection = Overdrawn;

    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(10));

    fn decide(&self, command: &Command) -> Result<Vec<Moved>, Overdrawn> {
        match *command {
            Command::Deposit(0) => Ok(vec![]),
            Command::Deposit(cents) => Ok(vec![Moved::In(cents)]),
            Command::Withdraw(cents) if i64::from(cents) > self.cents && FAULT != OVERDRAWS => Err(Overdrawn),
            Command::Withdraw(cents) => Ok(vec![Moved::Out(cents)]),
        }
    }

    fn evolve(&mut self, event: &Moved) {
        match *event {
            Moved::In(cents) => self.cents += i64::from(cents),
            Moved::Out(cents) => self.cents -= i64::from(cents),
        }
        self.moves += if FAULT == READS_A_CLOCK { CLOCK.fetch_add(1, Ordering::Relaxed) } else { 1 };
    }
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![any::<u8>().prop_map(Command::Deposit), any::<u8>().prop_map(Command::Withdraw)]
}

fn never_overdrawn<const FAULT: u8>(history: &[Moved], account: &Account<FAULT>) {
    assert!(account.cents >= 0, "overdrawn at {}", account.cents);
    assert_eq!(account.moves as usize, history.len());
}

/// What a property says when it fails; it must.
fn failure(property: impl FnOnce()) -> String {
    let failed = catch_unwind(AssertUnwindSafe(property)).expect_err("the property should have failed");
    failed.downcast_ref::<String>().cloned().expect("a formatted message")
}

#[test]
fn a_sound_aggregate_has_every_property() {
    check_commands::<Account<SOUND>>(Config::with_cases(100), commands(), never_overdrawn);
    check_folds::<Account<SOUND>>(Config::with_cases(50), commands());
    check_repeats::<Account<SOUND>>(Config::with_cases(30), commands());
}

#[test]
fn a_broken_invariant_is_told_with_the_shortest_commands_that_break_it() {
    let overdrawn = failure(|| {
        check_commands::<Account<OVERDRAWS>>(Config::with_cases(100), commands(), never_overdrawn);
    });
    assert!(
        overdrawn.contains("overdrawn at -1") && overdrawn.contains("Withdraw(\n        1"),
        "{overdrawn}"
    );
}

#[test]
fn a_snapshot_that_forgets_is_noticed() {
    let forgotten = failure(|| check_folds::<Account<SNAPSHOT_FORGETS>>(Config::with_cases(50), commands()));
    assert!(forgotten.contains("folded from a snapshot at"), "{forgotten}");
}

#[test]
fn an_aggregate_that_is_not_pure_is_noticed() {
    let pages = failure(|| check_folds::<Account<READS_A_CLOCK>>(Config::with_cases(50), commands()));
    assert!(pages.contains("folded in pages"), "{pages}");
    let repeats = failure(|| check_repeats::<Account<READS_A_CLOCK>>(Config::with_cases(50), commands()));
    assert!(repeats.contains("made another state"), "{repeats}");
}
