//! Comparing two generations, by the server and by value.

use super::{
    generation::Generation,
    tables,
    transaction::{Halt, Transaction},
};
use crate::failure::is_missing_table;
use annals::{COMPARISON_EXAMPLES_MAX, CompareError, Comparison, GenerationState, SubscriberId};
use sqlx::{Error, Row};

/// How a snapshot of both begins.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// For statements that read whole tables: no index, and as long as [`MAKING_WAIT_MAX`](crate::MAKING_WAIT_MAX).
const WITHOUT_HURRY: &str = "SET LOCAL statement_timeout = '4h'; SET LOCAL enable_seqscan = on";

/// How the documents of two generations differ that stand at one position.
pub(super) async fn compare(
    tx: &mut Transaction<'_>,
    old: &SubscriberId,
    new: &SubscriberId,
) -> Result<Comparison, Halt<CompareError>> {
    let compared = of_two(tx, old, new).await;
    match compared {
        // Whoever rebuilds the same read model elsewhere has switched, and dropped what it replaced.
        Err(Halt::Database(error)) if is_missing_table(&error) => Err(replaced(old)),
        compared => compared,
    }
}

async fn of_two(
    tx: &mut Transaction<'_>,
    old: &SubscriberId,
    new: &SubscriberId,
) -> Result<Comparison, Halt<CompareError>> {
    let (old, new) = (kept(tx, old).await?, kept(tx, new).await?);
    // Lanes that stand apart are at no position at all.
    if old.checkpoint != new.furthest() || old.furthest() != new.checkpoint {
        return Err(Halt::Refused(CompareError::Apart { old: old.checkpoint, new: new.furthest() }));
    }
    // Each is read as a whole, as large as it is.
    tx.say(WITHOUT_HURRY).await?;
    if tables::are_there(tx, new.id).await? {
        return Ok(Comparison { position: old.checkpoint, ..tables::compare(tx, old.id, new.id).await? });
    }
    let counts = tx.long_rows(tx.sql().compare.of_two(old.id, new.id).query()).await?;
    let count = |at: usize| counts[0].try_get::<i64, _>(at).map(i64::unsigned_abs);
    let mut found = Comparison {
        position: old.checkpoint,
        documents: count(0)?,
        changed: count(1)?,
        missing: count(2)?,
        extra: count(3)?,
        ..Comparison::default()
    };
    if found.differences() > 0 {
        let statement = tx.sql().compare_examples.of_two(old.id, new.id);
        let rows = tx.long_rows(statement.query().bind(COMPARISON_EXAMPLES_MAX as i64)).await?;
        found.examples = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, Error>>()?;
    }
    Ok(found)
}

/// The generation `id`, unless it is retired; no lock is taken.
async fn kept(tx: &mut Transaction<'_>, id: &SubscriberId) -> Result<Generation, Halt<CompareError>> {
    let found = Generation::seen(tx, id).await?;
    match found.state {
        GenerationState::Retired => Err(replaced(id)),
        GenerationState::Building | GenerationState::Live => Ok(found),
    }
}

fn replaced(id: &SubscriberId) -> Halt<CompareError> {
    Halt::Refused(CompareError::Replaced { subscriber: id.clone() })
}
