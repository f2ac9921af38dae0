//! Reading documents, and waiting until they have taken something in.

use crate::{DocumentStore, Json, PageLimit, Position, Projection, StoreError, SubscriberId};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// How often the checkpoint is looked at while waiting for it, besides whenever this process moves one.
pub const WAIT_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Reads the live documents of a projection.
pub struct ReadModel<P: Projection> {
    documents: Arc<dyn DocumentStore>,
    projection: PhantomData<fn() -> P>,
}

/// Why documents cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing was projected yet.
    #[error("{name} does not exist yet: run the service or `replay {name}`")]
    Missing {
        /// The read model.
        name: String,
    },
    /// The documents were made by another version of the projection.
    #[error("{name} holds documents of version {live}, this program reads version {ours}: {}", next_step(name, *live, *ours))]
    OtherVersion {
        /// The read model.
        name: String,
        /// What made the documents.
        live: u32,
        /// What this program would make.
        ours: u32,
    },
    /// A document does not have the shape of its type.
    #[error(
        "document {key:?} of {name} has another shape: after a change of its type, raise VERSION and replay"
    )]
    Shape {
        /// The read model.
        name: String,
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn next_step(name: &str, live: u32, ours: u32) -> String {
    if live > ours { "update the program".into() } else { format!("run `replay {name}`") }
}

impl<P: Projection> ReadModel<P> {
    /// Reads from `documents`.
    pub fn new(documents: Arc<dyn DocumentStore>) -> Self {
        Self { documents, projection: PhantomData }
    }

    /// The document under `key`.
    pub async fn get(&self, key: &str) -> Result<Option<P::Document>, ReadError> {
        loop {
            let live = self.live().await?;
            let found = self.documents.load(&live, &[key.into()]).await?.pop().and_then(|slot| slot.document);
            // A rebuild may have taken its place and deleted it meanwhile.
            if found.is_some() || self.live().await? == live {
                return found.map(|json| shape::<P>(key, &json)).transpose();
            }
        }
    }

    /// Documents behind the key `after`, ordered by the bytes of their keys. A rebuild that takes the place of the
    /// documents between two pages, or within one, leaves out none: the next are those of the new ones.
    pub async fn page(
        &self,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, P::Document)>, ReadError> {
        let found = loop {
            let live = self.live().await?;
            let found = self.documents.documents(&live, after, limit).await?;
            // A rebuild may have taken its place and deleted it meanwhile.
            if self.live().await? == live {
                break found;
            }
        };
        found.into_iter().map(|(key, json)| Ok((key.clone(), shape::<P>(&key, &json)?))).collect()
    }

    async fn live(&self) -> Result<SubscriberId, ReadError> {
        let name = || P::NAME.to_string();
        match self.documents.live(P::NAME).await? {
            Some((live, version)) if version == P::VERSION => Ok(live),
            Some((_, live)) => Err(ReadError::OtherVersion { name: name(), live, ours: P::VERSION }),
            None => Err(ReadError::Missing { name: name() }),
        }
    }
}

fn shape<P: Projection>(key: &str, json: &Json) -> Result<P::Document, ReadError> {
    json.read().map_err(|source| ReadError::Shape { name: P::NAME.to_string(), key: key.to_string(), source })
}

impl<P: Projection> fmt::Debug for ReadModel<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadModel({})", P::NAME)
    }
}

/// Why waiting for a read model ended without it having come far enough.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// It took too long.
    #[error("{name} is at {at} after {waited_ms} ms, not at {wanted}: see `lag` for whether it is running")]
    TimedOut {
        /// The read model.
        name: String,
        /// Where it is.
        at: Position,
        /// Where it should be.
        wanted: Position,
        /// How long was waited.
        waited_ms: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Waits until the live generation of `name` has handled everything up to `position`: to read one's own write.
pub async fn wait_for(
    documents: &dyn DocumentStore,
    name: &str,
    position: Position,
    timeout: Duration,
) -> Result<(), WaitError> {
    let mut moved = documents.moved();
    let deadline = tokio::time::Instant::now() + timeout;
    loop {
        moved.mark_unchanged();
        let at = checkpoint(documents, name).await?;
        if at >= position {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            let waited_ms = timeout.as_millis() as u64;
            return Err(WaitError::TimedOut { name: name.to_string(), at, wanted: position, waited_ms });
        }
        let look_again = (tokio::time::Instant::now() + WAIT_POLL_INTERVAL).min(deadline);
        // Whether it moved, was closed or nothing happened: look again, within the deadline.
        let _ = tokio::time::timeout_at(look_again, async {
            if moved.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await;
    }
}

async fn checkpoint(documents: &dyn DocumentStore, name: &str) -> Result<Position, StoreError> {
    let Some((live, _)) = documents.live(name).await? else { return Ok(Position::START) };
    let all = documents.subscribers().await?;
    Ok(all.into_iter().find(|info| info.subscriber == live).map_or(Position::START, |info| info.checkpoint))
}
