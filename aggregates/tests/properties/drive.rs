//! Random cases, and an aggregate driven through one.

use annals::Aggregate;
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};
use std::fmt::Debug;

/// How many random sequences each property is tried on.
pub(crate) const CASES: u32 = 256;

/// How many commands or events a sequence has, at most.
pub(crate) const STEPS_MAX: usize = 40;

/// Tries `property` on random values; it panics where it does not hold, and the smallest such value is shown.
#[track_caller]
pub(crate) fn always<S: Strategy>(values: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&values, |value| {
        property(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// What an aggregate made of one command.
pub(crate) struct Step<'a, A: Aggregate> {
    pub(crate) command: &'a A::Command,
    pub(crate) before: &'a A,
    pub(crate) after: &'a A,
    pub(crate) rejected: bool,
}

/// Carries out `commands` one after another, shows each step to `check`, and returns what happened.
pub(crate) fn drive<A: Aggregate>(commands: &[A::Command], check: impl Fn(Step<'_, A>)) -> Vec<A::Event> {
    let (mut state, mut history) = (A::default(), vec![]);
    for command in commands {
        let before = state.clone();
        let answer = state.decide(command);
        let rejected = answer.is_err();
        for event in answer.unwrap_or_default() {
            state.evolve(&event);
            history.push(event);
        }
        check(Step { command, before: &before, after: &state, rejected });
    }
    history
}
