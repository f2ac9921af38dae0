//! Tests of policies.

use super::recording::{Recording, stream_of};
use crate::{DomainEvent, EventSet, Issued, LogFilter, Policy};

/// A policy that waits for events.
pub struct Reacting<P> {
    policy: P,
    recording: Recording,
}

/// What a policy made of an event.
#[must_use = "say what was expected, with issues or issues_nothing"]
pub struct Reacted<P> {
    reacting: Reacting<P>,
    issued: Vec<Issued>,
}

/// Begins a test of a policy. Events go through the codec and back on the way; those of types that the policy does
/// not take are left out, as its runner does.
///
/// ```
/// # use annals::{Aggregate, DomainEvent, Issued, Policy, RecordedEvent};
/// # #[derive(serde::Serialize, serde::Deserialize)] enum Moved { Deposited { cents: u64 } }
/// # use Moved::*;
/// # impl DomainEvent for Moved { const CATEGORY: &'static str = "account"; }
/// # #[derive(Default, Clone)] struct Account;
/// # #[derive(Debug, PartialEq)] struct Greet { cents: u64 }
/// # #[derive(Debug, thiserror::Error)] #[error("no")] struct No;
/// # impl Aggregate for Account {
/// #     type Id = str; type Command = Greet; type Event = Moved; type Rejection = No;
/// #     fn decide(&self, _: &Greet) -> Result<Vec<Moved>, No> { Ok(vec![]) }
/// #     fn evolve(&mut self, _: &Moved) {}
/// # }
/// # struct Welcome;
/// # impl Policy for Welcome {
/// #     const NAME: &'static str = "welcome"; type Event = Moved;
/// #     fn react(&self, event: &Moved, recorded: &RecordedEvent) -> Vec<Issued> {
/// #         let Deposited { cents } = *event;
/// #         (cents > 0).then(|| Issued::to::<Account>(recorded.key(), Greet { cents })).into_iter().collect()
/// #     }
/// # }
/// use annals::testing::reacting;
///
/// reacting(Welcome)
///     .to("account-7", Deposited { cents: 9 })
///     .issues([Issued::to::<Account>("7", Greet { cents: 9 })])
///     .to("account-7", Deposited { cents: 0 })
///     .issues_nothing();
/// ```
pub fn reacting<P: Policy>(policy: P) -> Reacting<P> {
    Reacting { policy, recording: Recording::new() }
}

impl<P: Policy> Reacting<P> {
    /// This event happens in `stream`.
    #[track_caller]
    pub fn to<E: DomainEvent>(mut self, stream: &str, event: E) -> Reacted<P> {
        let stream = stream_of::<E>(stream);
        let recorded = self.recording.record(&stream, &event);
        let mut issued = Vec::new();
        if LogFilter::of::<P::Event>().takes(&recorded) {
            let decoded =
                P::Event::decode(&recorded, &mut |event| issued.extend(self.policy.react(&event, &recorded)));
            if let Err(error) = decoded {
                panic!("{error}");
            }
        }
        for command in &issued {
            if let Err(error) = command.target(stream.tenant()) {
                panic!("a command goes to no stream: {error}\n  command: {command:?}");
            }
        }
        Reacted { reacting: self, issued }
    }
}

impl<P: Policy> Reacted<P> {
    /// It sent just these commands, in this order.
    #[track_caller]
    pub fn issues(self, commands: impl IntoIterator<Item = Issued>) -> Reacting<P> {
        let expected: Vec<_> = commands.into_iter().collect();
        if self.issued != expected {
            panic!("it issued otherwise\n  expected: {expected:#?}\n  issued:   {:#?}", self.issued);
        }
        self.reacting
    }

    /// It sent no command.
    #[track_caller]
    pub fn issues_nothing(self) -> Reacting<P> {
        self.issues([])
    }
}
