//! A stock adjustment, sent, and how the stock answered.

use crate::sending::{Answer, send};
use annals::{CommandId, Done, Engine, PageLimit, Version, VersionRange, decode_recorded};
use annals_cli::CliError;
use northwind_aggregates::{Sku, StockCommand, StockEvent, StockItem};

/// Sends it, and tells what the stock refused as rejected.
///
/// The stock answers by an event either way, and a repeat is answered with the event of its first arrival: a line that
/// was refused once stays refused, however much is there by now.
pub(super) async fn adjust(
    engine: &Engine,
    sku: &Sku,
    command: &StockCommand,
    id: CommandId,
    actor: &str,
) -> Result<Answer, CliError> {
    let answer = send::<StockItem>(engine, sku, command, id, actor).await?;
    let Answer::Done(done) = &answer else { return Ok(answer) };
    let refused = refusal(engine, done).await?;
    Ok(refused.map_or(answer, Answer::Rejected))
}

/// Why the stock refused, read from the events that the command left.
async fn refusal(engine: &Engine, done: &Done) -> Result<Option<String>, CliError> {
    let failed = |error: &dyn std::error::Error| {
        CliError::because(&done.stream, error).next("run the same command again: it goes on")
    };
    let before = Version::new(done.version.get().saturating_sub(done.events));
    let left = VersionRange::after(before).through(done.version);
    let events = engine.store().read(&done.stream, left, PageLimit::DEFAULT).await;
    let mut refused = None;
    for recorded in &events.map_err(|error| failed(&error))? {
        let mut look = |event| {
            if let StockEvent::AdjustmentRefused { delta, refusal, .. } = event {
                refused = Some(format!("{refusal}: cannot correct by {delta}"));
            }
        };
        decode_recorded(recorded, &mut look).map_err(|error| failed(&error))?;
    }
    Ok(refused)
}
