//! A person's decision that a partition goes on without what is missing.

use annals::{
    CheckpointError, Checkpoints, GenerationState, LeaseError, LeaseTerms, Position, Step, StoreError,
    part_of,
};

/// Why a part was not moved on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassOverError {
    /// It is the name of something else: a read model, a policy or a publisher, which would lose events.
    #[error("{name:?} is no part of a consumer: take its name from the error that the part reported")]
    NoPart {
        /// The name asked for.
        name: String,
    },
    /// There is no such part.
    #[error("there is no part {part:?}: take its name from the error that it reported")]
    Unknown {
        /// The name asked for.
        part: String,
    },
    /// It stands there already, or further on.
    #[error("{part} stands at {at}, not before {to}: it is not moved back")]
    Behind {
        /// The part.
        part: String,
        /// Where it stands.
        at: Position,
        /// Where it was to stand.
        to: Position,
    },
    /// It is at work just now; one that stands still gives its lease back.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Its checkpoint was not moved.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets `part` go on behind `to`, without what lies before it: the name and the position that a
/// [`PartitionError`](crate::PartitionError) tells. Its consumer goes on by itself at its next try, within half a
/// minute. Whether there are records up to `to` is not looked at: [`Consumer::ends`](crate::Consumer::ends) tells. Later
/// ones that lie before it are dropped as repeats.
///
/// # Errors
/// When there is no such part, it is at work, or stands further on already.
pub async fn pass_over(checkpoints: &dyn Checkpoints, part: &str, to: Position) -> Result<(), PassOverError> {
    if part_of(part).is_none() {
        return Err(PassOverError::NoPart { name: part.into() });
    }
    let all = checkpoints.subscribers().await?;
    let found =
        all.into_iter().find(|info| info.subscriber.name() == part && info.state == GenerationState::Live);
    let unknown = || PassOverError::Unknown { part: part.into() };
    let subscriber = found.ok_or_else(unknown)?.subscriber;
    let lease = checkpoints.acquire(&subscriber, &LeaseTerms::default()).await?;
    let at = lease.checkpoint;
    let moved = match to > at {
        true => {
            let step = Step { subscriber, epoch: lease.epoch, from: at, to };
            checkpoints.advance(&step).await.map_err(PassOverError::from)
        }
        false => Err(PassOverError::Behind { part: part.into(), at, to }),
    };
    let released = checkpoints.release(&lease).await;
    moved?;
    Ok(released?)
}
