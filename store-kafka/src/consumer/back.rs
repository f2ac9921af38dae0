//! Going back in a partition, to what no checkpoint is behind.

use super::{
    PartitionError,
    task::{PartTask, Work},
    waiting::Fed,
};
use annals::{Position, SubscriberError, TEND_INTERVAL, error_text};

/// How far before the offset of the group it is looked at first for what follows the checkpoint; then eight times as
/// far, and so on to the beginning of the partition.
const LOOK_BACK_FIRST: i64 = 16;

/// Where a task wants to read from again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// The beginning of the partition.
    Beginning,
    /// This offset.
    To(i64),
    /// So many offsets before the one that the group has committed.
    Before(i64),
}

impl PartTask {
    /// Nothing has come yet that joins the checkpoint, so that nothing tells whether something is missing in between:
    /// the group may be further on, from when it filled another place, or a later state of this one. Where its offset
    /// lies is no reason to leave anything out. Where the two agree, this reads a few records again, once.
    pub(super) async fn begin_where_nothing_comes(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        if work.joined {
            // What repeats from now on, repeats.
            work.looked_back = 0;
            return Ok(());
        }
        if work.rewound || !self.held.is_empty() {
            return Ok(());
        }
        match self.go_back(work).await {
            // The client has not begun to read it yet, and is asked again.
            Err(error @ SubscriberError::Elsewhere { .. }) => {
                tracing::debug!(partition = %self.partition, error = %error_text(&error), "it is not begun yet");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Goes back to where the checkpoint was moved last, if that was here, and else before the offset of the group,
    /// each time further, until what follows the checkpoint is found; drops what came before.
    pub(super) async fn go_back(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        let at = work.chain.last();
        if at == Position::START {
            return self.go_back_to(work, Back::Beginning).await;
        }
        // In a retry topic a position is an offset: what is from there on comes.
        if self.again.is_some() && !work.rewound && work.looked_back == 0 {
            self.go_back_to(work, Back::To(i64::try_from(at.get()).unwrap_or(i64::MAX))).await?;
            (work.joined, work.looked_back) = (true, 1);
            return Ok(());
        }
        if let Some(offset) = work.settled_at.take() {
            return self.go_back_to(work, Back::To(offset)).await;
        }
        let further = work.looked_back.saturating_mul(8).max(LOOK_BACK_FIRST);
        self.go_back_to(work, Back::Before(further)).await?;
        work.looked_back = further;
        Ok(())
    }

    pub(super) async fn go_back_to(&mut self, work: &mut Work, back: Back) -> Result<(), SubscriberError> {
        let name = self.subscriber.name().to_string();
        let gone = || PartitionError::Ended.of(&name);
        // Whatever becomes of it: what is held is dropped, or is not what follows.
        work.joined = false;
        self.rewind.send((self.partition.clone(), back)).map_err(|_| gone())?;
        let outcome = loop {
            let fed = tokio::select! {
                biased;
                () = work.stop.cancelled() => return Ok(()),
                fed = work.waiting.next() => fed,
                () = tokio::time::sleep(TEND_INTERVAL) => {
                    self.subscriber.tend().await?;
                    continue;
                }
            };
            match fed {
                Some(Fed::Rewound(outcome)) => break outcome,
                Some(Fed::Record(_)) => {}
                None => return Err(gone()),
            }
        };
        self.held.clear();
        let failed = |error| self.options.failed("going back in a partition", error);
        let went =
            outcome.map_err(|error| PartitionError::Kafka(failed(error)).of(self.subscriber.name()))?;
        // Not before: where a sign of life failed meanwhile, what is held need not be what follows, and it goes back
        // again.
        work.rewound = went == Back::Beginning;
        Ok(())
    }
}
