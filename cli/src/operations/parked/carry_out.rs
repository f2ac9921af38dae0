//! Retrying and discarding parked events.

use super::{from_a_log, list::page, live, nothing_parked};
use crate::{CliError, Output, Service, Stores, text::plain};
use annals::{
    LeaseError, LeaseTerms, PageLimit, ParkedAction, ParkedRequest, Subscriber, SubscriberError,
    SubscriberId, TEND_INTERVAL,
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long a request waits for the process that runs the read model, which looks every [`TEND_INTERVAL`].
pub const REQUEST_WAIT_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether a request was carried out.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Serialize)]
struct CarriedOut<'a> {
    name: &'a str,
    key: &'a str,
    action: ParkedAction,
    /// How many events are parked under the key now; 1 000 stands for as many or more.
    still_parked: usize,
    /// Why the first of them is refused.
    error: Option<String>,
}

/// Asks for `action`, and has it carried out: by the process that runs the read model, or here when none does.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    name: &str,
    key: &str,
    action: ParkedAction,
    output: &mut Output,
) -> Result<(), CliError> {
    let of = live(service, stores, name).await?.ok_or_else(|| nothing_parked(name, key))?;
    from_a_log(stores, &of).await?;
    let projection = service.known_projection(name)?;
    let mut request = ParkedRequest { key: key.into(), action };
    let mut first = None;
    let left = loop {
        let asked = stores.documents.request(&of, &request).await;
        if !asked.map_err(|error| CliError::because(name, &error))? {
            return Err(nothing_parked(name, key));
        }
        let runner = projection.live(stores.store.clone(), stores.documents.clone(), LeaseTerms::default());
        answered(stores, &of, &request, runner).await?;
        let left = page(stores, &of, Some(key), None).await?;
        // One request takes a page of events: what merely waited behind it is asked for again, as long as it moves.
        match left.first() {
            Some(next) if next.error.is_empty() && first < Some(next.position) => {
                (first, request.action) = (Some(next.position), ParkedAction::Retry);
            }
            _ => break left,
        }
    };
    let error = left.first().map(|parked| plain(&parked.error).into_owned());
    let done = CarriedOut { name, key, action, still_parked: left.len(), error };
    output.answer(&done, describe)?;
    match done.error {
        Some(error) if action == ParkedAction::Retry => {
            let next =
                format!("mend what it complains of, then `parked retry {name} KEY` again, or discard it");
            Err(CliError::failed(format_args!("{name} {:?}", plain(key)), error).next(next))
        }
        // What was to be discarded is, whatever came behind it.
        _ => Ok(()),
    }
}

fn describe(done: &CarriedOut<'_>) -> String {
    let (name, key) = (done.name, plain(done.key));
    match (done.still_parked, done.action) {
        (0, ParkedAction::Retry) => format!("{name} {key:?}: projected again, nothing is parked any more"),
        (0, ParkedAction::Discard) => format!("{name} {key:?}: discarded, nothing is parked any more"),
        (left, ParkedAction::Retry) => format!("{name} {key:?}: still refused, {left} events are parked"),
        (left, ParkedAction::Discard) => {
            format!("{name} {key:?}: one discarded, the next is refused, {left} events are parked")
        }
    }
}

/// Returns when the request was carried out.
async fn answered(
    stores: &Stores,
    of: &SubscriberId,
    request: &ParkedRequest,
    mut runner: Box<dyn Subscriber>,
) -> Result<(), CliError> {
    let name = of.name();
    let failed = |error: SubscriberError| CliError::because(name, &error);
    let began = Instant::now();
    loop {
        match runner.begin().await {
            Ok(_) => {
                let tended = runner.tend().await;
                // The lease is given back whatever came of it; the first failure is the one to tell.
                let ended = runner.end().await;
                return tended.and(ended).map_err(failed);
            }
            // The process that has the lease carries it out.
            Err(SubscriberError::Lease(LeaseError::Held { holder, .. })) => {
                if !is_open(stores, of, request).await? {
                    return Ok(());
                }
                if began.elapsed() >= REQUEST_WAIT_MAX {
                    let waited = REQUEST_WAIT_MAX.as_secs();
                    let reason =
                        format!("{holder} runs it and has not carried the request out in {waited} s");
                    return Err(CliError::failed(name, reason).next(format_args!(
                        "the request stays: it is carried out when that process goes on; see `lag`"
                    )));
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

async fn is_open(stores: &Stores, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, CliError> {
    let open = stores.documents.requests(of, PageLimit::MAX).await;
    let open = open.map_err(|error| CliError::because(of.name(), &error))?;
    Ok(open.iter().any(|asked| asked.key == request.key))
}

const _: () = assert!(REQUEST_WAIT_MAX.as_secs() > TEND_INTERVAL.as_secs());
