//! `parked`: the events that read models refused, and what to do about them.

mod carry_out;
mod list;

pub use carry_out::REQUEST_WAIT_MAX;

use super::dead_letters::is_part;
use crate::{CliError, Output, Service, Stores};
use annals::{ParkedAction, SubscriberId};
use clap::Subcommand;

/// What to do about parked events.
#[derive(Debug, Clone, Subcommand)]
pub enum Parked {
    /// List the events that read models refused
    List {
        /// Only those of this read model
        name: Option<String>,
    },
    /// Show the events parked under a key, with what they say
    Show {
        /// The read model
        name: String,
        /// The key of the document
        key: String,
    },
    /// Project the events parked under a key again, in order, as far as they go
    Retry {
        /// The read model
        name: String,
        /// The key of the document
        key: String,
    },
    /// Drop the first event parked under a key, and project those behind it
    Discard {
        /// The read model
        name: String,
        /// The key of the document
        key: String,
    },
}

pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: Parked,
    output: &mut Output,
) -> Result<(), CliError> {
    match wanted {
        Parked::List { name } => list::list(service, stores, name.as_deref(), output).await,
        Parked::Show { name, key } => list::show(service, stores, &name, &key, output).await,
        Parked::Retry { name, key } => {
            carry_out::run(service, stores, &name, &key, ParkedAction::Retry, output).await
        }
        Parked::Discard { name, key } => {
            carry_out::run(service, stores, &name, &key, ParkedAction::Discard, output).await
        }
    }
}

/// The live generation of a read model that this program or the store knows.
async fn live(service: &Service, stores: &Stores, name: &str) -> Result<Option<SubscriberId>, CliError> {
    let live = stores.documents.live(name).await.map_err(|error| CliError::because(name, &error))?;
    if live.is_none() {
        service.known_projection(name)?;
    }
    Ok(live.map(|(live, _)| live))
}

/// Refuses a generation that a consumer fills from topics: its events are not in this log, or are others there.
async fn from_a_log(stores: &Stores, of: &SubscriberId) -> Result<(), CliError> {
    let (name, all) = (of.name(), stores.documents.subscribers().await);
    let all = all.map_err(|error| CliError::because(name, &error))?;
    match all.iter().any(|info| is_part(of, info.subscriber.name())) {
        true => Err(CliError::failed(name, "a consumer of Kafka fills it, not this log")
            .next(format_args!("see `dead-letters show {name} KEY`, then replay or discard"))),
        false => Ok(()),
    }
}

fn nothing_parked(name: &str, key: &str) -> CliError {
    let key = crate::text::plain(key);
    CliError::failed(name, format_args!("no event is parked under {key:?}"))
        .next(format_args!("list them with `parked list {name}`"))
}
