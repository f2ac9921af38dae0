//! Properties of aggregates, over random commands.

use super::recording::{Recording, stream_of, through_the_codec};
use crate::{
    Aggregate, Context, DomainEvent, Engine, ExecuteError, MemoryStore, RecordedEvent, StreamId, Version,
    decode_recorded, error_text,
};
use proptest::{
    collection::vec,
    strategy::Strategy,
    test_runner::{Config, TestError, TestRunner},
};
use std::{fmt::Debug, sync::Arc};

/// How many commands one case holds, at most.
pub const COMMANDS_MAX: usize = 60;

/// Drives random sequences of commands through an aggregate: decide, encode, decode, evolve. After each command,
/// also a refused one, `invariants` looks at the whole history and the state; it asserts what must hold, and the
/// shortest sequence after which that fails is told.
///
/// ```
/// # use annals::{Aggregate, DomainEvent};
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)] enum Moved { In(u8), Out(u8) }
/// # impl DomainEvent for Moved { const CATEGORY: &'static str = "account"; }
/// # #[derive(Default, Clone)] struct Account { cents: u64 }
/// # #[derive(Debug)] enum Command { Deposit(u8), Withdraw(u8) }
/// # #[derive(Debug, thiserror::Error)] #[error("overdrawn")] struct Overdrawn;
/// # impl Aggregate for Account {
/// #     type Id = str; type Command = Command; type Event = Moved; type Rejection = Overdrawn;
/// #     fn decide(&self, c: &Command) -> Result<Vec<Moved>, Overdrawn> {
/// #         match *c {
/// #             Command::Deposit(n) => Ok(vec![Moved::In(n)]),
/// #             Command::Withdraw(n) if u64::from(n) > self.cents => Err(Overdrawn),
/// #             Command::Withdraw(n) => Ok(vec![Moved::Out(n)]),
/// #         }
/// #     }
/// #     fn evolve(&mut self, e: &Moved) {
/// #         match *e { Moved::In(n) => self.cents += u64::from(n), Moved::Out(n) => self.cents -= u64::from(n) }
/// #     }
/// # }
/// use annals::testing::{check_commands, proptest::{prelude::*, test_runner::Config}};
///
/// let commands = prop_oneof![any::<u8>().prop_map(Command::Deposit), any::<u8>().prop_map(Command::Withdraw)];
/// check_commands::<Account>(Config::with_cases(50), commands, |history, account| {
///     let sum: i64 = history.iter().map(|e| match *e { Moved::In(n) => i64::from(n), Moved::Out(n) => -i64::from(n) }).sum();
///     assert_eq!(sum, i64::try_from(account.cents).unwrap());
/// });
/// ```
#[track_caller]
pub fn check_commands<A: Aggregate>(
    config: Config,
    commands: impl Strategy<Value = A::Command>,
    invariants: impl Fn(&[A::Event], &A),
) where
    A::Command: Debug,
    A::Event: PartialEq + Debug,
{
    check(config, commands, |commands| {
        let (mut state, mut history) = (A::default(), Vec::new());
        invariants(&history, &state);
        for command in commands {
            // A rejection leaves nothing; what held before still has to.
            for event in state.decide(command).unwrap_or_default() {
                state.evolve(&through_the_codec(&event));
                history.push(event);
            }
            invariants(&history, &state);
        }
    });
}

/// Any history folds to the same state in one pass, in pages of any size, and, where the aggregate keeps
/// [snapshots](Aggregate::SNAPSHOTS), from a snapshot taken at any point.
#[track_caller]
pub fn check_folds<A: Aggregate + PartialEq + Debug>(
    config: Config,
    commands: impl Strategy<Value = A::Command>,
) where
    A::Command: Debug,
{
    check(config, commands, |commands| {
        let history = history_of::<A>(commands);
        let whole = fold(A::default(), &history);
        for size in [1, 2, 7, 1_000] {
            let paged = history.chunks(size).fold(A::default(), |state, page| fold(state, page));
            assert_eq!(paged, whole, "folded in pages of {size}");
        }
        let Some(policy) = A::SNAPSHOTS else { return };
        for at in 0..=history.len() {
            let (before, after) = history.split_at(at);
            let state = fold(A::default(), before);
            let kept = (policy.write)(&state).and_then(|json| (policy.read)(&json));
            let kept =
                kept.unwrap_or_else(|error| panic!("the snapshot at {at} does not come back: {error}"));
            assert_eq!(fold(kept, after), whole, "folded from a snapshot at {at}");
        }
    });
}

/// A command that arrives twice counts once: each command is sent twice under one id, and all of them once more at
/// the end. What left events is answered as before and leaves no more; the state is as if each had come once.
#[track_caller]
pub fn check_repeats<A: Aggregate + PartialEq + Debug>(
    config: Config,
    commands: impl Strategy<Value = A::Command>,
) where
    A::Command: Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime for a test starts");
    check(config, commands, |commands| runtime.block_on(send_twice::<A>(commands)));
}

async fn send_twice<A: Aggregate + PartialEq + Debug>(commands: &[A::Command])
where
    A::Command: Debug,
{
    let stream = checked_stream::<A>();
    let (once, twice) = (engine(), engine());
    let mut answered = Vec::new();
    for (i, command) in commands.iter().enumerate() {
        let key = format!("command {i}");
        let alone = send::<A>(&once, &stream, command, &key).await;
        let first = send::<A>(&twice, &stream, command, &key).await;
        let again = send::<A>(&twice, &stream, command, &key).await;
        assert_eq!(first, alone, "the first arrival of {command:?} is answered as if alone");
        assert_eq!(again, first, "the second arrival of {command:?} is answered as the first");
        answered.push((command, key, first));
    }
    // Those that left nothing are decided anew when they come again, so only the others may be sent late.
    let left = |version: &Option<u64>, before: u64| version.is_some_and(|version| version > before);
    let mut before = 0;
    for (command, key, answer) in &answered {
        if left(answer, before) {
            let late = send::<A>(&twice, &stream, command, key).await;
            assert_eq!(late, *answer, "a late arrival of {command:?} is answered as the first");
        }
        before = answer.unwrap_or(before);
    }
    let (once, twice) = (state_in::<A>(&once, &stream).await, state_in::<A>(&twice, &stream).await);
    assert_eq!(twice, once, "commands that came twice made another state than commands that came once");
}

fn engine() -> Engine {
    Engine::new(Arc::new(MemoryStore::new()))
}

/// The version after the command; `None` when it was rejected.
async fn send<A: Aggregate>(
    engine: &Engine,
    stream: &StreamId,
    command: &A::Command,
    key: &str,
) -> Option<u64> {
    match engine.execute_on::<A>(stream, command, Context::keyed(key)).await {
        Ok(done) => Some(done.version.get()),
        Err(ExecuteError::Rejected(_)) => None,
        Err(error) => panic!("a command failed: {}", error_text(&error)),
    }
}

async fn state_in<A: Aggregate>(engine: &Engine, stream: &StreamId) -> (Version, Arc<A>) {
    match engine.load_from::<A>(stream).await {
        Ok(loaded) => (loaded.version, loaded.state),
        Err(error) => panic!("the aggregate cannot be loaded: {}", error_text(&error)),
    }
}

fn checked_stream<A: Aggregate>() -> StreamId {
    stream_of::<A::Event>(&format!("{}-checked", <A::Event as DomainEvent>::CATEGORY))
}

/// What the commands leave, as a store would hand it back.
fn history_of<A: Aggregate>(commands: &[A::Command]) -> Vec<RecordedEvent> {
    let (stream, mut recording) = (checked_stream::<A>(), Recording::new());
    let (mut state, mut history) = (A::default(), Vec::new());
    for command in commands {
        let decided = state.decide(command).unwrap_or_default();
        let recorded: Vec<_> = decided.iter().map(|event| recording.record(&stream, event)).collect();
        state = fold(state, &recorded);
        history.extend(recorded);
    }
    history
}

fn fold<A: Aggregate>(mut state: A, events: &[RecordedEvent]) -> A {
    for recorded in events {
        let read = decode_recorded::<A::Event>(recorded, &mut |event| state.evolve(&event));
        read.unwrap_or_else(|error| panic!("{error}"));
    }
    state
}

/// Runs cases of up to [`COMMANDS_MAX`] commands; fails with the shortest that fails.
#[track_caller]
fn check<C: Debug>(mut config: Config, commands: impl Strategy<Value = C>, case: impl Fn(&[C])) {
    // Found cases belong into a test of their own, with given, when and then.
    config.failure_persistence = None;
    let ran = TestRunner::new(config).run(&vec(commands, 0..=COMMANDS_MAX), |commands| {
        case(&commands);
        Ok(())
    });
    match ran {
        Ok(()) => {}
        Err(TestError::Fail(reason, commands)) => panic!("{reason}\n  after: {commands:#?}"),
        Err(error) => panic!("{error}"),
    }
}
