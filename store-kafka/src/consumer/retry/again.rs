//! The work on one partition of a retry topic: one copy after the other, each when it is due.

use super::{copy::Copy, letters::RetryLetters};
use crate::{
    Chain, RecordError,
    consumer::{
        Foreign, PartitionError,
        back::Back,
        held::Held,
        sieve::Counts,
        task::{PartTask, Work},
    },
};
use annals::{
    Checkpoints, GenerationState, Position, StoreError, SubscriberError, SubscriberInfo, TEND_INTERVAL,
};
use chrono::Utc;
use rdkafka::{Message, message::OwnedMessage};
use std::{sync::Arc, time::Duration};

/// What the work on a retry topic's partition needs besides.
pub(in crate::consumer) struct Again {
    /// Where it is seen whether a sender has decided.
    pub(in crate::consumer) checkpoints: Arc<dyn Checkpoints>,
    /// The record in hand, as it came from its own topic.
    pub(in crate::consumer) in_hand: Arc<Held>,
    pub(in crate::consumer) letters: Arc<RetryLetters>,
}

/// What is next in a retry topic.
enum Next {
    /// Seen before.
    Repeated,
    /// Something is missing in front of it.
    Lost,
    Copy(Box<Copy>),
    Foreign(RecordError),
}

impl Again {
    /// Whether the sender of the copy has written the page for which it copied, or one in its place.
    async fn has_decided(&self, copy: &Copy) -> Result<bool, StoreError> {
        let all = self.checkpoints.subscribers().await?;
        let is_sender = |info: &&SubscriberInfo| {
            info.subscriber.name() == copy.part && info.state == GenerationState::Live
        };
        // One that is gone decides nothing any more.
        Ok(all.iter().filter(is_sender).all(|sender| sender.checkpoint >= copy.decided_at))
    }
}

impl PartTask {
    /// Handles what is held, each when it is due, until nothing is left.
    pub(in crate::consumer) async fn handle_copies(
        &mut self,
        work: &mut Work,
    ) -> Result<(), SubscriberError> {
        while !work.stop.is_cancelled() {
            let Some(raw) = self.held.look(|records| records.front().map(|held| held.raw.clone())) else {
                break;
            };
            let begins = work.chain.last() == Position::START;
            if begins && !work.rewound {
                self.go_back_to(work, Back::Beginning).await?;
                continue;
            }
            let behind = place_behind(&raw);
            let next = next(&raw, work.chain, begins);
            work.joined |= !matches!(next, Next::Lost);
            match next {
                Next::Repeated => {}
                // Somebody may have moved the offset of the group forward.
                Next::Lost if !work.rewound => {
                    self.go_back(work).await?;
                    continue;
                }
                Next::Lost => return Err(self.lost(work, &raw)),
                Next::Foreign(_) if self.terms.foreign == Foreign::PassOver => {
                    work.counts.add(Counts::foreign(1));
                    self.pass(work, behind).await?;
                }
                Next::Foreign(error) => return Err(self.stands_still(PartitionError::Foreign(error))),
                Next::Copy(copy) if !is_sibling(&copy.part, self.subscriber.name()) => {
                    self.pass(work, behind).await?;
                }
                Next::Copy(copy) => {
                    if !self.until_due(work, &copy).await? {
                        break;
                    }
                    if let Err(error) = self.try_again(work, *copy, behind).await {
                        return Err(match error.stops_at() {
                            Some(_) => self.unhandled(work, behind, error),
                            None => error,
                        });
                    }
                }
            }
            self.held.drop_first(1);
            self.seen(work, raw.offset() + 1);
        }
        Ok(())
    }

    /// Stands behind a record that says nothing to this handler.
    async fn pass(&mut self, work: &mut Work, behind: Position) -> Result<(), SubscriberError> {
        self.write(work, vec![], Chain::behind(behind)).await
    }

    async fn try_again(
        &mut self,
        work: &mut Work,
        copy: Copy,
        behind: Position,
    ) -> Result<(), SubscriberError> {
        if let Some(again) = &self.again {
            again.in_hand.clear();
            again.in_hand.push(copy.record);
            again.letters.sends_as(self.subscriber.name(), Some(behind));
        }
        self.write(work, vec![copy.event], Chain::behind(behind)).await?;
        if !std::mem::replace(&mut work.told, true) {
            self.subscriber.report(None).await?;
            self.consumed.goes_on(&self.partition);
        }
        Ok(())
    }

    /// Waits until the copy is due and its sender has decided; false when the work is to end before.
    async fn until_due(&mut self, work: &mut Work, copy: &Copy) -> Result<bool, SubscriberError> {
        loop {
            let left = (copy.due - Utc::now()).to_std().unwrap_or_default();
            let wait = match left {
                Duration::ZERO => match &self.again {
                    Some(again) if !again.has_decided(copy).await? => TEND_INTERVAL,
                    _ => return Ok(true),
                },
                left => left.min(TEND_INTERVAL),
            };
            tokio::select! {
                biased;
                () = work.stop.cancelled() => return Ok(false),
                () = tokio::time::sleep(wait) => {}
            }
            self.settle(work).await?;
            self.subscriber.tend().await?;
        }
    }

    fn lost(&self, work: &Work, raw: &OwnedMessage) -> SubscriberError {
        let part = format!("{:?}", self.subscriber.name());
        let previous = Position::new(raw.offset().unsigned_abs());
        let (topic, partition, offset) = (raw.topic().to_string(), raw.partition(), raw.offset());
        let error =
            PartitionError::Lost { topic, partition, offset, part, last: work.chain.last(), previous };
        self.stands_still(error)
    }
}

fn next(raw: &OwnedMessage, chain: Chain, begins: bool) -> Next {
    let last = chain.last();
    if place_behind(raw) <= last {
        return Next::Repeated;
    }
    // Nobody writes transactions here, so no offset is left out.
    if !begins && Position::new(raw.offset().unsigned_abs()) > last {
        return Next::Lost;
    }
    match Copy::read(raw) {
        Ok(copy) => Next::Copy(copy.into()),
        Err(error) => Next::Foreign(error),
    }
}

/// Where the part of a retry topic's partition stands behind a record: at the offset behind it.
fn place_behind(raw: &OwnedMessage) -> Position {
    Position::new(raw.offset().unsigned_abs() + 1)
}

/// Whether both are parts of one generation of one projection.
fn is_sibling(one: &str, other: &str) -> bool {
    let of = |part: &'_ str| part.rsplit_once("-at-").map(|(of, _)| of.to_string());
    of(one).is_some() && of(one) == of(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_generation_are_siblings() {
        let part = |name: &str, generation, part: &str| annals::part_name(name, generation, part);
        assert!(is_sibling(&part("orders", 1, "563ad910-0"), &part("orders", 1, "b975a5d2-31")));
        assert!(!is_sibling(&part("orders", 1, "563ad910-0"), &part("orders", 2, "563ad910-0")));
        assert!(!is_sibling(&part("orders", 1, "563ad910-0"), &part("stock", 1, "563ad910-0")));
        assert!(!is_sibling("", ""));
    }
}
