//! `dead-letters`: the events that a consumer of Kafka could not handle, and what to do about them.
//!
//! The read models say what is parked, and why: that is the truth, written in one transaction with the documents. The
//! dead-letter topics keep the events themselves, for there is no log to read them from.

mod feed;
mod look;

pub use feed::KEYS_AT_ONCE;

use crate::{CliError, Output, StoreUrl, Stores, publication::check_cluster, text::plain, url::masked};
use annals::{GenerationState, ParkedAction, SubscriberId, SubscriberInfo};
use clap::{ArgGroup, Args, Subcommand};

/// What to do about events that a consumer could not handle.
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLetters {
    /// List the events that are parked, and their copies in the dead-letter topics
    List {
        /// Only those of this read model
        name: Option<String>,

        /// The cluster: kafka://HOST:PORT
        #[arg(long, value_name = "URL")]
        kafka: StoreUrl,
    },
    /// Show the events parked under a key, with headers and payload
    Show {
        /// The read model
        name: String,

        /// The key of the document
        key: String,

        /// The cluster: kafka://HOST:PORT
        #[arg(long, value_name = "URL")]
        kafka: StoreUrl,
    },
    /// Have the running consumer handle parked events again, those of a key in order, as far as they go
    Replay(Replay),
    /// Drop the first event parked under a key, and have the running consumer handle those behind it
    Discard {
        /// The read model
        name: String,

        /// The key of the document
        key: String,
    },
}

/// Which events are handled again.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["keys", "all"])))]
pub struct Replay {
    /// The read model; with --all, only those of this one
    name: Option<String>,

    /// The keys of the documents
    #[arg(value_name = "KEY", requires = "name")]
    keys: Vec<String>,

    /// All that are parked
    #[arg(long)]
    all: bool,
}

impl DeadLetters {
    /// What is wrong with what is wanted of Kafka, told before anything is opened.
    pub(super) fn check_kafka(&self) -> Result<(), CliError> {
        let url = match self {
            Self::List { kafka, .. } | Self::Show { kafka, .. } => Some(kafka),
            Self::Replay(_) | Self::Discard { .. } => None,
        };
        check_cluster("dead-letters", "--kafka", url)
    }
}

pub(super) async fn run(stores: &Stores, wanted: DeadLetters, output: &mut Output) -> Result<(), CliError> {
    match wanted {
        DeadLetters::List { name, kafka } => look::list(stores, name.as_deref(), &kafka, output).await,
        DeadLetters::Show { name, key, kafka } => look::show(stores, &name, &key, &kafka, output).await,
        DeadLetters::Replay(Replay { name, all: true, .. }) => {
            feed::all(stores, name.as_deref(), output).await
        }
        DeadLetters::Replay(Replay { name, keys, .. }) => {
            let name = name.unwrap_or_default();
            feed::keys(stores, &name, &keys, ParkedAction::Retry, output).await
        }
        DeadLetters::Discard { name, key } => {
            feed::keys(stores, &name, &[key], ParkedAction::Discard, output).await
        }
    }
}

/// The live generations of read models that consumers fill, each with its parts.
async fn filled(stores: &Stores) -> Result<Vec<(SubscriberInfo, Vec<SubscriberInfo>)>, CliError> {
    let all = stores.documents.subscribers().await;
    let all = all.map_err(|error| CliError::because("dead-letters", &error))?;
    let live: Vec<&SubscriberInfo> = all.iter().filter(|info| info.state == GenerationState::Live).collect();
    let parts = |of: &SubscriberId| -> Vec<SubscriberInfo> {
        let of = |info: &&&SubscriberInfo| is_part(of, info.subscriber.name());
        live.iter().filter(of).map(|info| (*info).clone()).collect()
    };
    let with_parts = live.iter().map(|info| ((*info).clone(), parts(&info.subscriber)));
    Ok(with_parts.filter(|(_, parts)| !parts.is_empty()).collect())
}

/// The same of one read model.
async fn filled_one(stores: &Stores, name: &str) -> Result<(SubscriberInfo, Vec<SubscriberInfo>), CliError> {
    let all = filled(stores).await?;
    let mut names: Vec<&str> = all.iter().map(|(info, _)| info.subscriber.name()).collect();
    names.sort_unstable();
    let told = masked(name).unwrap_or_else(|| name.into());
    let reason = "no consumer has filled a read model of that name here";
    let unknown = CliError::failed(plain(&told), reason).next(match &*names {
        [] => {
            "name the place of the consumer's with --read-models URL; see `parked` for read models of a log"
                .into()
        }
        names => format!("name one of: {}; see `parked` for read models of a log", names.join(", ")),
    });
    all.into_iter().find(|(info, _)| info.subscriber.name() == name).ok_or(unknown)
}

/// Whether `name` is that of a part of `of`.
pub(super) fn is_part(of: &SubscriberId, name: &str) -> bool {
    name.starts_with(&annals::part_name(of.name(), of.generation(), ""))
}

fn nothing_parked(name: &str, key: &str) -> CliError {
    CliError::failed(name, format_args!("no event is parked under {:?}", plain(key)))
        .next(format_args!("list them with `dead-letters list {name} --kafka URL`"))
}
