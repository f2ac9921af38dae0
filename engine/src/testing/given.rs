//! Tests of aggregates.

use super::recording::through_the_codec;
use crate::{Aggregate, DomainEvent};
use std::fmt::{Debug, Write};

/// An aggregate with its history.
#[derive(Debug, Clone)]
pub struct Given<A>(A);

/// What an aggregate answered to a command.
#[must_use = "say what was expected, with then, then_nothing or then_rejected"]
pub struct Outcome<A: Aggregate> {
    before: A,
    answer: Result<Vec<A::Event>, A::Rejection>,
}

/// Begins a test of an aggregate with what happened to it. Each event, also of those it decides later, is written
/// by the codec and read back on its way.
///
/// ```
/// # use annals::{Aggregate, DomainEvent};
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// # enum Moved { Deposited { cents: u64 }, Withdrawn { cents: u64 } }
/// # use Moved::*;
/// # impl DomainEvent for Moved { const CATEGORY: &'static str = "account"; }
/// # #[derive(Default, Clone)] struct Account { cents: u64 }
/// # struct Withdraw { cents: u64 }
/// # #[derive(Debug, PartialEq, thiserror::Error)] #[error("overdrawn by {by_cents}")]
/// # struct Overdrawn { by_cents: u64 }
/// # impl Aggregate for Account {
/// #     type Id = str; type Command = Withdraw; type Event = Moved; type Rejection = Overdrawn;
/// #     fn decide(&self, c: &Withdraw) -> Result<Vec<Moved>, Overdrawn> {
/// #         if c.cents > self.cents { return Err(Overdrawn { by_cents: c.cents - self.cents }); }
/// #         Ok(vec![Withdrawn { cents: c.cents }])
/// #     }
/// #     fn evolve(&mut self, e: &Moved) {
/// #         match e { Deposited { cents } => self.cents += cents, Withdrawn { cents } => self.cents -= cents }
/// #     }
/// # }
/// use annals::testing::given;
///
/// given::<Account>([Deposited { cents: 100 }])
///     .when(Withdraw { cents: 70 })
///     .then([Withdrawn { cents: 70 }])
///     .when(Withdraw { cents: 60 })
///     .then_rejected(Overdrawn { by_cents: 30 });
/// ```
#[track_caller]
pub fn given<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> Given<A>
where
    A::Event: PartialEq + Debug,
{
    let mut state = A::default();
    for event in history {
        state.evolve(&through_the_codec(&event));
    }
    Given(state)
}

impl<A: Aggregate> Given<A> {
    /// Asks it to carry out `command`.
    pub fn when(self, command: A::Command) -> Outcome<A> {
        let answer = self.0.decide(&command);
        Outcome { before: self.0, answer }
    }

    /// Its state.
    pub fn state(&self) -> &A {
        &self.0
    }
}

impl<A: Aggregate> Outcome<A>
where
    A::Event: PartialEq + Debug,
{
    /// It decided just these events, in this order; the test can go on with them as history.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let expected: Vec<_> = events.into_iter().collect();
        let mut state = self.before;
        match self.answer {
            Ok(decided) if decided == expected => {
                for event in &decided {
                    state.evolve(&through_the_codec(event));
                }
                Given(state)
            }
            Ok(decided) => {
                panic!("it decided otherwise\n  expected:{}\n  decided:{}", lines(&expected), lines(&decided))
            }
            Err(rejection) => {
                panic!("it refused: {rejection}\n  expected:{}\n  refused: {rejection:?}", lines(&expected))
            }
        }
    }

    /// It agreed that there was nothing to do.
    #[track_caller]
    pub fn then_nothing(self) -> Given<A> {
        self.then([])
    }

    /// It said no, for this reason.
    #[track_caller]
    pub fn then_rejected(self, rejection: A::Rejection) -> Given<A>
    where
        A::Rejection: PartialEq,
    {
        match self.answer {
            Err(refused) if refused == rejection => Given(self.before),
            Err(refused) => {
                panic!(
                    "it refused for another reason: {refused}\n  expected: {rejection:?}\n  refused:  {refused:?}"
                )
            }
            Ok(decided) => {
                panic!("it did not refuse\n  expected: {rejection:?}\n  decided:{}", lines(&decided))
            }
        }
    }
}

/// One event a line.
fn lines<E: DomainEvent + Debug>(events: &[E]) -> String {
    if events.is_empty() {
        return " nothing".into();
    }
    events.iter().fold(String::new(), |mut text, event| {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n    {event:?}");
        text
    })
}
