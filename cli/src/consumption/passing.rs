//! Going on without what is missing, where a person has said so.

use super::{failing::consumer_failed, filling::Consumption};
use crate::{CliError, Stores, text::plain};
use annals::{GenerationState, Position, Registered, part_of};
use annals_kafka::{Consumer, PassOverError, pass_over};

/// Sees that all that is to be passed over are parts of read models that are `filled` now.
///
/// # Errors
/// Wrong usage where one is not.
pub(super) fn check(passing: &[(String, Position)], filled: &[Registered]) -> Result<(), CliError> {
    for (name, to) in passing {
        let wrong = |reason| CliError::usage(format_args!("--pass-over {}={to}", plain(name)), reason);
        let Some((of, ..)) = part_of(name) else {
            let none = wrong("that is the name of no part".to_string());
            return Err(none.next("take it from the error of the partition that stands still"));
        };
        if !filled.iter().any(|projection| projection.name() == of) {
            let other = wrong(format!("it is no part of what is filled here: {} is not", plain(of)));
            return Err(other.next("name its read model too, or leave this out"));
        }
    }
    Ok(())
}

impl Consumption {
    /// Passes over what is to be passed over.
    pub(super) async fn pass_over(&self, stores: &Stores) -> Result<(), CliError> {
        if self.pass_over.is_empty() {
            return Ok(());
        }
        let all = stores.documents.subscribers().await;
        let all = all.map_err(|error| CliError::because("consume", &error))?;
        for (part, to) in &self.pass_over {
            let failed = |reason: String| CliError::failed(plain(part), reason);
            let told = "take part and position from the error of the partition that stands still";
            let found =
                all.iter().find(|info| info.subscriber.name() == part && info.state == GenerationState::Live);
            let Some(info) = found else {
                return Err(failed("there is no such part here".into()).next(told));
            };
            // The same command again.
            if info.checkpoint >= *to {
                continue;
            }
            let end = self.end_of(part, stores).await?.unwrap_or(Position::START);
            if *to > end {
                // Whatever came up to there would be taken for a repeat.
                let reason =
                    format!("its partition has events up to position {end}, and {to} lies behind that");
                return Err(failed(reason).next(told));
            }
            match pass_over(&*stores.documents, part, *to).await {
                // Somebody else was faster.
                Ok(()) | Err(PassOverError::Behind { .. }) => {}
                Err(error @ PassOverError::Lease(_)) => {
                    return Err(CliError::because(plain(part), &error)
                        .next("it is at work: stop its consumer, or ask again when it stands still"));
                }
                Err(error) => return Err(CliError::because(plain(part), &error).next("ask again")),
            }
        }
        Ok(())
    }

    /// The position of the last event in the partition of `part`.
    async fn end_of(&self, name: &str, stores: &Stores) -> Result<Option<Position>, CliError> {
        let Some((of, _, part)) = part_of(name) else { return Ok(None) };
        let Some(projection) = self.projections.iter().find(|projection| projection.name() == of) else {
            return Ok(None);
        };
        let ends = self.consumer(projection, stores)?.ends().await;
        let ends = ends.map_err(|error| consumer_failed(of, &error))?;
        let is_it = |((topic, number), end): (&(String, i32), &Position)| {
            (Consumer::part(topic, *number) == part).then_some(*end)
        };
        Ok(ends.iter().find_map(is_it))
    }
}
