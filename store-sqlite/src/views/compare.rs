//! Comparing two generations, document by document.

use super::{generation::Generation, halt::Halt};
use annals::{COMPARISON_EXAMPLES_MAX, CompareError, Comparison, GenerationState, Json, SubscriberId};
use rusqlite::{Connection, Row};
use std::cmp::Ordering;

/// How the documents of two generations differ that stand at one position.
///
/// Both are read side by side in key order, so memory stays flat however many documents there are.
pub(super) fn compare(
    snapshot: &Connection,
    old: &SubscriberId,
    new: &SubscriberId,
) -> Result<Comparison, Halt<CompareError>> {
    let (old, new) = (kept(snapshot, old)?, kept(snapshot, new)?);
    if old.checkpoint != new.checkpoint {
        return Err(Halt::Refused(CompareError::Apart { old: old.checkpoint, new: new.checkpoint }));
    }
    // Two statements of the same text, so not from the cache, which would lend one of them once.
    let mut of_old = snapshot.prepare(include_str!("sql/documents_all.sql"))?;
    let mut of_new = snapshot.prepare(include_str!("sql/documents_all.sql"))?;
    let (mut olds, mut news) = (of_old.query([old.id])?, of_new.query([new.id])?);
    let mut found = Comparison { position: old.checkpoint, ..Comparison::default() };
    let (mut was, mut is) = (olds.next()?, news.next()?);
    while let Some(order) = order(was, is)? {
        found.documents += 1;
        let (key, counted) = match order {
            Ordering::Less => (key(was)?, Some(&mut found.missing)),
            Ordering::Greater => (key(is)?, Some(&mut found.extra)),
            Ordering::Equal if same(was, is)? => ("", None),
            Ordering::Equal => (key(was)?, Some(&mut found.changed)),
        };
        if let Some(counted) = counted {
            *counted += 1;
            if found.examples.len() < COMPARISON_EXAMPLES_MAX {
                found.examples.push(key.to_string());
            }
        }
        if order.is_le() {
            was = olds.next()?;
        }
        if order.is_ge() {
            is = news.next()?;
        }
    }
    Ok(found)
}

/// The generation `id`, if its documents are certainly there.
fn kept(snapshot: &Connection, id: &SubscriberId) -> Result<Generation, Halt<CompareError>> {
    let found = Generation::get::<CompareError>(snapshot, id)?;
    match found.state {
        GenerationState::Retired => Err(Halt::Refused(CompareError::Replaced { subscriber: id.clone() })),
        GenerationState::Building | GenerationState::Live => Ok(found),
    }
}

/// Which of the two comes first in key order; `None` when both have ended.
fn order(old: Option<&Row<'_>>, new: Option<&Row<'_>>) -> Result<Option<Ordering>, rusqlite::Error> {
    Ok(match (old, new) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(_), Some(_)) => Some(key(old)?.cmp(key(new)?)),
    })
}

fn same(old: Option<&Row<'_>>, new: Option<&Row<'_>>) -> Result<bool, rusqlite::Error> {
    let (old, new) = (body(old)?, body(new)?);
    Ok(old == new || Json::stored(old).same_value(&Json::stored(new)))
}

fn key<'r>(row: Option<&'r Row<'_>>) -> Result<&'r str, rusqlite::Error> {
    text(row, 0)
}

fn body<'r>(row: Option<&'r Row<'_>>) -> Result<&'r str, rusqlite::Error> {
    text(row, 1)
}

fn text<'r>(row: Option<&'r Row<'_>>, at: usize) -> Result<&'r str, rusqlite::Error> {
    match row {
        Some(row) => Ok(row.get_ref(at)?.as_str()?),
        None => Ok(""),
    }
}
