//! Events of 200 bytes in 10 000 streams, and stores that hold them.

use crate::broker::CATEGORY;
use annals::{Commit, EventData, EventId, EventStore, Expected, Json, Metadata, StreamId};
use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// The size of a payload.
pub(crate) const PAYLOAD_BYTES: usize = 200;

/// How many streams there are.
pub(crate) const STREAMS: u64 = 10_000;

/// So many streams get an event in one commit: for a log that is made quickly.
const STREAMS_A_COMMIT: u64 = 200;

/// So many commits go at once.
const AT_ONCE: usize = 16;

/// The payload of event `n`: JSON of exactly [`PAYLOAD_BYTES`].
pub(crate) fn payload(n: u64) -> String {
    let start = format!(r#"{{"n":{n},"note":""#);
    let rest = PAYLOAD_BYTES.saturating_sub(start.len() + 2);
    format!("{start}{}\"}}", "x".repeat(rest))
}

/// Event `n`, with the metadata that a command leaves.
pub(crate) fn event(n: u64) -> anyhow::Result<EventData> {
    let mut metadata = Metadata::default();
    metadata.correlation_id = Some(uuid::Uuid::now_v7().to_string());
    metadata.causation_id = Some(EventId::random());
    let event = EventData::raw(EventId::random(), "Noted", 1, Json::parse(&payload(n))?);
    Ok(event.with_metadata(Json::of(&metadata)?))
}

/// Stream of event `n`: neighbours in the log are of different streams.
pub(crate) fn stream_of(n: u64) -> anyhow::Result<StreamId> {
    Ok(StreamId::new(CATEGORY, format_args!("{:05}", n % STREAMS))?)
}

/// Appends events until there are `count`.
pub(crate) async fn fill(store: &Arc<dyn EventStore>, count: u64) -> anyhow::Result<()> {
    let commits = (0..count.div_ceil(STREAMS_A_COMMIT)).map(|commit| async move {
        let (mut events, mut made) =
            (commit * STREAMS_A_COMMIT..(commit + 1) * STREAMS_A_COMMIT, None::<Commit>);
        for n in events.by_ref().take_while(|n| *n < count) {
            let (stream, event) = (stream_of(n)?, vec![event(n)?]);
            made = Some(match made {
                None => Commit::to(stream, Expected::Any, event),
                Some(made) => made.and(stream, Expected::Any, event),
            });
        }
        store.append(made.context("a commit has events")?).await?;
        anyhow::Ok(())
    });
    stream::iter(commits).buffered(AT_ONCE).try_collect().await
}
