//! Having consumers handle parked events again.

use super::{filled, filled_one, is_part, look::page, nothing_parked};
use crate::{CliError, Output, Stores, operations::parked::REQUEST_WAIT_MAX, text::plain};
use annals::{PageLimit, ParkedAction, ParkedRequest, Position, SubscriberId};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// How many keys consumers are asked for at once.
pub const KEYS_AT_ONCE: usize = 100;

/// How often it is looked what they have carried out.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// What came of one key.
#[derive(Serialize)]
struct Fed<'a> {
    name: &'a str,
    key: &'a str,
    action: &'static str,
    /// How many events are parked under the key now; 1 000 stands for as many or more.
    still_parked: usize,
    /// Why the first of them is refused.
    error: Option<String>,
}

/// A key that consumers were asked for.
struct Asked {
    action: ParkedAction,
    /// The first event that was still parked when they were asked again.
    first: Option<Position>,
}

/// Counts what was refused again.
#[derive(Default)]
struct Refused {
    keys: usize,
    first: Option<(String, String)>,
}

/// Has the events under `keys` handled again, or the first of them dropped.
pub(super) async fn keys(
    stores: &Stores,
    name: &str,
    keys: &[String],
    action: ParkedAction,
    output: &mut Output,
) -> Result<(), CliError> {
    let (live, _) = filled_one(stores, name).await?;
    let of = live.subscriber;
    let keys: BTreeSet<Arc<str>> = keys.iter().map(|key| key.as_str().into()).collect();
    // Nothing is asked for unless all of it can be.
    for key in &keys {
        if page(stores, &of, Some(key), None, PageLimit::ONE).await?.is_empty() {
            return Err(nothing_parked(name, key));
        }
    }
    let (keys, mut refused) = (Vec::from_iter(keys), Refused::default());
    for some in keys.chunks(KEYS_AT_ONCE) {
        feed(stores, &of, some, action, &mut refused, output).await?;
    }
    refused.outcome(name)
}

/// Has all that is parked handled again, in one read model or in all that consumers fill.
pub(super) async fn all(stores: &Stores, name: Option<&str>, output: &mut Output) -> Result<(), CliError> {
    let generations = match name {
        Some(name) => vec![filled_one(stores, name).await?],
        None => filled(stores).await?,
    };
    let (mut refused, mut asked) = (Refused::default(), false);
    for (live, _) in generations {
        let (of, mut after) = (live.subscriber, None);
        loop {
            let page = page(stores, &of, None, after.as_ref(), PageLimit::DEFAULT).await?;
            let Some(last) = page.last() else { break };
            let before = after.replace((last.key.clone(), last.position));
            let mut keys: Vec<Arc<str>> = page.iter().map(|parked| parked.key.clone()).collect();
            keys.dedup();
            // What lay behind the last event of the page before belongs to a key that was asked for.
            keys.retain(|key| before.as_ref().is_none_or(|(known, _)| known != key));
            for some in keys.chunks(KEYS_AT_ONCE) {
                asked = true;
                feed(stores, &of, some, ParkedAction::Retry, &mut refused, output).await?;
            }
        }
    }
    if !asked {
        output.note("nothing is parked");
    }
    refused.outcome(name.unwrap_or("dead-letters"))
}

/// Asks for `keys`, and returns when consumers have carried it out. A consumer that was busy with an earlier request
/// for the same key may answer this one too.
async fn feed(
    stores: &Stores,
    of: &SubscriberId,
    keys: &[Arc<str>],
    action: ParkedAction,
    refused: &mut Refused,
    output: &mut Output,
) -> Result<(), CliError> {
    let mut open = BTreeMap::new();
    for key in keys {
        ask(stores, of, key, action).await?;
        open.insert(key.clone(), Asked { action, first: None });
    }
    let mut moved = Instant::now();
    while !open.is_empty() {
        // Who runs it is asked first: one that ends after it carried a request out is seen to have done so.
        let holder = holder(stores, of).await?;
        let still = requests(stores, of).await?;
        let answered: Vec<Arc<str>> = open.keys().filter(|key| !still.contains(*key)).cloned().collect();
        for key in answered {
            moved = Instant::now();
            let left = page(stores, of, Some(&key), None, PageLimit::DEFAULT).await?;
            let Some(asked) = open.get_mut(&key) else { continue };
            // One request takes a page of events: what merely waited behind it is asked for again, as long as it moves.
            match left.first() {
                Some(next) if next.error.is_empty() && asked.first < Some(next.position) => {
                    (asked.first, asked.action) = (Some(next.position), ParkedAction::Retry);
                    ask(stores, of, &key, asked.action).await?;
                }
                first => {
                    open.remove(&key);
                    let error = first.map(|parked| plain(&parked.error).into_owned());
                    let (name, action) = (of.name(), action_word(action));
                    let fed = Fed { name, key: &key, action, still_parked: left.len(), error };
                    output.answer(&fed, describe)?;
                    refused.see(&fed);
                }
            }
        }
        match holder {
            _ if open.is_empty() => {}
            None => return Err(nobody(of, open.len())),
            Some(holder) if moved.elapsed() >= REQUEST_WAIT_MAX => {
                let waited = REQUEST_WAIT_MAX.as_secs();
                let reason = format!("{holder} runs it and has not carried the request out in {waited} s");
                return Err(CliError::failed(of.name(), reason).next(
                    "the request stays: it is carried out when that process goes on, or by the next one",
                ));
            }
            Some(_) => tokio::time::sleep(LOOK_INTERVAL).await,
        }
    }
    Ok(())
}

async fn ask(
    stores: &Stores,
    of: &SubscriberId,
    key: &Arc<str>,
    action: ParkedAction,
) -> Result<(), CliError> {
    let request = ParkedRequest { key: key.clone(), action };
    // Where nothing is parked any more, somebody else has seen to it.
    let asked = stores.documents.request(of, &request).await;
    asked.map(drop).map_err(|error| CliError::because(of.name(), &error))
}

async fn requests(stores: &Stores, of: &SubscriberId) -> Result<HashSet<Arc<str>>, CliError> {
    let open = stores.documents.requests(of, PageLimit::MAX).await;
    let open = open.map_err(|error| CliError::because(of.name(), &error))?;
    Ok(open.into_iter().map(|request| request.key).collect())
}

/// Somebody who runs a part of it: any of them carries requests out.
async fn holder(stores: &Stores, of: &SubscriberId) -> Result<Option<String>, CliError> {
    let all = stores.documents.subscribers().await;
    let all = all.map_err(|error| CliError::because(of.name(), &error))?;
    Ok(all.into_iter().filter(|info| is_part(of, info.subscriber.name())).find_map(|info| info.holder))
}

fn nobody(of: &SubscriberId, open: usize) -> CliError {
    CliError::failed(of.name(), format_args!("no consumer runs it, and {open} requests wait")).next(
        "start its consumer, or run `consume` with its --group: that carries them out, and tells where a partition \
         stands still",
    )
}

fn action_word(action: ParkedAction) -> &'static str {
    match action {
        ParkedAction::Retry => "replay",
        ParkedAction::Discard => "discard",
    }
}

fn describe(fed: &Fed<'_>) -> String {
    let (name, key) = (fed.name, plain(fed.key));
    let done = if fed.action == "discard" { "one discarded" } else { "handled again" };
    match (fed.still_parked, &fed.error) {
        (0, _) => format!("{name} {key:?}: {done}, nothing is parked any more"),
        (left, Some(error)) => format!("{name} {key:?}: {left} events are parked: {error}"),
        (left, None) => format!("{name} {key:?}: {left} events are parked"),
    }
}

impl Refused {
    fn see(&mut self, fed: &Fed<'_>) {
        // What was to be discarded is, whatever came behind it.
        if let (Some(error), "replay") = (&fed.error, fed.action) {
            self.keys += 1;
            self.first.get_or_insert_with(|| (format!("{} {:?}", fed.name, plain(fed.key)), error.clone()));
        }
    }

    fn outcome(self, name: &str) -> Result<(), CliError> {
        let refused = match (self.keys, self.first) {
            (1, Some((thing, error))) => CliError::failed(thing, error),
            (0, _) | (_, None) => return Ok(()),
            (keys, _) => CliError::failed(name, format_args!("the events of {keys} keys are refused again")),
        };
        Err(refused.next(
            "mend what it complains of, then `dead-letters replay NAME KEY` again, or `dead-letters discard NAME KEY`",
        ))
    }
}
