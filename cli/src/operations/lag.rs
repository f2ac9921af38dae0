//! `lag`: how far each subscriber is behind.

use super::publish::PUBLISHER;
use crate::{
    CliError, GroupLag, Output, Sent, Service, StoreUrl, Stores,
    consumption::groups,
    publication::{reach_cluster, sent_by},
    table::Table,
    text::plain,
};
use annals::{GenerationState, LogFilter, PageLimit, Position, SubscriberError, SubscriberInfo, part_of};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Whether Kafka is to be asked too.
#[derive(Debug, Clone, Default, Args)]
pub struct LagTerms {
    /// Ask this cluster what publishers have sent, and not committed yet, and how far those are who read it:
    /// kafka://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub kafka: Option<StoreUrl>,

    /// Of consumer groups only this one, in all topics that it reads; it needs no log here
    #[arg(long, value_name = "GROUP", requires = "kafka")]
    pub group: Option<String>,
}

/// How far a subscriber is behind the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lag {
    /// Its name.
    pub name: String,
    /// What it is to this program.
    pub kind: SubscriberKind,
    /// Everything up to here is handled.
    pub position: Position,
    /// The head of the log; none for what consumers of Kafka fill, whose log is elsewhere.
    pub head: Option<Position>,
    /// How many events of the log lie between, of whatever type; none as above: see [`GroupLag`].
    pub events_behind: Option<u64>,
    /// The age of the oldest event not handled, in seconds; 0 when there is none. None as above.
    pub seconds_behind: Option<f64>,
    /// Its live generation; none when it never ran.
    pub generation: Option<u32>,
    /// How many events are parked.
    pub parked: u64,
    /// Who runs it.
    pub holder: Option<String>,
    /// Why it last failed, if it has not succeeded since.
    pub failure: Option<String>,
    /// When it last failed.
    pub failed_at: Option<DateTime<Utc>>,
    /// Of a publisher, what Kafka knows of it; none where Kafka was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Sent>,
}

/// What a subscriber is to the program that looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriberKind {
    /// A read model.
    Projection,
    /// Events turned into commands.
    Policy,
    /// Events forwarded to Kafka: one that Kafka knows, or that is called as a publisher is if nothing is said.
    Publisher,
    /// What a consumer of Kafka runs for one partition.
    Part,
    /// A consumer group of Kafka: see [`GroupLag`].
    Group,
    /// Another program's, or an older one's.
    Unknown,
}

/// How far each subscriber of `service` is behind, also those that never ran; then those that only the store knows.
pub async fn lags(service: &Service, stores: &Stores) -> Result<Vec<Lag>, CliError> {
    let failed = |error: annals::StoreError| CliError::because("lag", &error);
    let all = stores.documents.subscribers().await.map_err(failed)?;
    // The head is read behind the places: otherwise a busy subscriber could seem to be ahead of the log.
    let head = stores.head().await.map_err(failed)?;
    let live = all.into_iter().filter(|info| info.state == GenerationState::Live);
    let mut live: BTreeMap<String, SubscriberInfo> =
        live.map(|info| (info.subscriber.name().to_string(), info)).collect();
    let mut lags = vec![];
    let filled: BTreeSet<String> =
        live.keys().filter_map(|name| Some(part_of(name)?.0.to_string())).collect();
    let head_of = |name: &str| (!filled.contains(name) && part_of(name).is_none()).then_some(head);
    for name in service.subscriber_names() {
        let kind = if service.is_policy(name) { SubscriberKind::Policy } else { SubscriberKind::Projection };
        lags.push(lag(stores, name, kind, live.remove(name), head_of(name)).await?);
    }
    for (name, info) in live {
        lags.push(lag(stores, &name, kind_of(&name), Some(info), head_of(&name)).await?);
    }
    Ok(lags)
}

/// What a subscriber is that this program does not run.
fn kind_of(name: &str) -> SubscriberKind {
    if part_of(name).is_some() {
        return SubscriberKind::Part;
    }
    match name.strip_prefix(PUBLISHER) {
        Some(rest) if rest.is_empty() || rest.starts_with('-') => SubscriberKind::Publisher,
        _ => SubscriberKind::Unknown,
    }
}

/// Adds what the cluster at `url` knows of those that may be publishers, and tells how far groups are; with it, what
/// could not be learnt.
async fn ask_kafka(
    url: &StoreUrl,
    group: Option<&str>,
    stores: &Stores,
    lags: &mut [Lag],
    output: &mut Output,
) -> (Vec<GroupLag>, Vec<CliError>) {
    if let Err(away) = reach_cluster(url).await {
        return (vec![], vec![away]);
    }
    let (mut topics, mut failed) = (vec![], vec![]);
    let others = [SubscriberKind::Publisher, SubscriberKind::Unknown];
    for lag in lags.iter_mut().filter(|lag| others.contains(&lag.kind)) {
        match sent_by(url, &*stores.documents, &lag.name).await {
            Ok(None) => {}
            Ok(Some(sent)) => {
                topics.extend(sent.topics.keys().cloned());
                (lag.kind, lag.kafka) = (SubscriberKind::Publisher, Some(sent));
            }
            Err(error) => failed.push(error),
        }
    }
    let behind = groups(url, group, topics, output).await;
    (
        behind.unwrap_or_else(|error| {
            failed.push(error);
            vec![]
        }),
        failed,
    )
}

async fn lag(
    stores: &Stores,
    name: &str,
    kind: SubscriberKind,
    info: Option<SubscriberInfo>,
    head: Option<Position>,
) -> Result<Lag, CliError> {
    let position = info.as_ref().map_or(Position::START, |info| info.checkpoint);
    let (failure, failed_at) = info.as_ref().and_then(|info| info.failure.clone()).unzip();
    // As its runner would report it, also where none runs.
    let ahead = head.filter(|head| position > *head).map(|head| {
        let subscriber = name.to_string();
        SubscriberError::Ahead { subscriber, checkpoint: position, head }.to_string()
    });
    let seconds_behind = match head {
        Some(head) if position < head => Some(age_behind(stores, name, position).await?),
        head => head.map(|_| 0.0),
    };
    Ok(Lag {
        name: name.into(),
        kind,
        position,
        head,
        events_behind: head.map(|head| head.since(position)),
        seconds_behind,
        generation: info.as_ref().map(|info| info.subscriber.generation()),
        parked: info.as_ref().map_or(0, |info| info.parked),
        holder: info.and_then(|info| info.holder),
        failure: ahead.or(failure),
        failed_at,
        kafka: None,
    })
}

/// The age of the first event behind `position`, in seconds to the millisecond.
async fn age_behind(stores: &Stores, name: &str, position: Position) -> Result<f64, CliError> {
    let page = stores.store.read_log(position, PageLimit::ONE, &LogFilter::all()).await;
    let page = page.map_err(|error| CliError::because(name, &error))?;
    let age = page.events.first().map(|event| Utc::now() - event.recorded_at);
    Ok(age.map_or(0.0, |age| age.num_milliseconds().max(0) as f64 / 1000.0))
}

/// Prints the lag of every subscriber, also where Kafka does not answer: why, is told last.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: &LagTerms,
    output: &mut Output,
) -> Result<(), CliError> {
    let mut lags = lags(service, stores).await?;
    let (behind, mut failed) = match &wanted.kafka {
        Some(url) => ask_kafka(url, wanted.group.as_deref(), stores, &mut lags, output).await,
        None => (vec![], vec![]),
    };
    print(&lags, &behind, wanted.kafka.is_some() && failed.is_empty(), output)?;
    let last = failed.pop();
    failed.iter().for_each(|error| output.failed(error));
    last.map_or(Ok(()), Err)
}

/// Prints everything that was learnt; `all_told` says that Kafka has told everything.
fn print(lags: &[Lag], behind: &[GroupLag], all_told: bool, output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        lags.iter().try_for_each(|lag| output.json(lag))?;
        return behind.iter().try_for_each(|lag| output.json(lag));
    }
    let titles =
        ["name", "position", "head", "events behind", "seconds behind", "parked", "run by", "failure"];
    let row = |lag: &Lag| {
        let seconds = lag.seconds_behind.map(|seconds| format!("{seconds:.1}")).unwrap_or_default();
        let holder = lag.holder.as_deref().unwrap_or("nobody").to_string();
        let failure = lag.failure.as_deref().map(plain).unwrap_or_default().into_owned();
        vec![
            lag.name.clone(),
            lag.position.to_string(),
            lag.head.map(|head| head.to_string()).unwrap_or_default(),
            lag.events_behind.map(|events| events.to_string()).unwrap_or_default(),
            seconds,
            lag.parked.to_string(),
            holder,
            failure,
        ]
    };
    Table::new(titles).print(output, &lags.iter().map(row).collect::<Vec<_>>())?;
    print_sent(lags, all_told, output)?;
    if behind.is_empty() {
        return Ok(());
    }
    output.text("")?;
    print_groups(behind, output)
}

/// Prints the lag of the group that is wanted, where there is no log whose subscribers could be told of.
pub(super) async fn run_without_log(
    url: &StoreUrl,
    group: &str,
    output: &mut Output,
) -> Result<(), CliError> {
    let behind = groups(url, Some(group), vec![], output).await?;
    match output.is_json() {
        true => behind.iter().try_for_each(|lag| output.json(lag)),
        false => print_groups(&behind, output),
    }
}

/// Prints how far groups are, partition by partition.
fn print_groups(lags: &[GroupLag], output: &mut Output) -> Result<(), CliError> {
    let row = |lag: &GroupLag| {
        let committed = lag.committed.map(|offset| offset.to_string()).unwrap_or_default();
        let numbers = [lag.end.to_string(), lag.offsets_behind.to_string()];
        let texts = [lag.name.clone(), lag.topic.clone(), lag.partition.to_string(), committed];
        texts.into_iter().chain(numbers).collect()
    };
    let titles = ["group", "topic", "partition", "committed", "end", "behind"];
    Table::new(titles).print(output, &lags.iter().map(row).collect::<Vec<_>>())
}

/// Prints what publishers have sent, topic by topic.
fn print_sent(lags: &[Lag], all_told: bool, output: &mut Output) -> Result<(), CliError> {
    let titles = ["publisher", "in Kafka at", "topic", "partitions", "sent up to", "committed up to", "open"];
    let mut rows = vec![];
    for lag in lags {
        let Some(sent) = &lag.kafka else { continue };
        rows.extend(sent.topics.iter().map(|(name, topic)| {
            let numbers = [u64::from(topic.partitions), topic.end, topic.committed_end, topic.uncommitted];
            let cells = [lag.name.clone(), sent.position.to_string(), name.clone()];
            cells.into_iter().chain(numbers.map(|number| number.to_string())).collect()
        }));
    }
    if rows.is_empty() {
        if all_told {
            output.note("Kafka knows no publisher of this log");
        }
        return Ok(());
    }
    output.text("")?;
    Table::new(titles).print(output, &rows)
}
