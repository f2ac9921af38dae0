//! `lag`: how far each subscriber is behind.

use crate::{CliError, Output, Service, Stores, table::Table, text::plain};
use annals::{GenerationState, LogFilter, PageLimit, Position, SubscriberError, SubscriberInfo};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// The head of the log.
    pub head: Position,
    /// How many events of the log lie between, of whatever type.
    pub events_behind: u64,
    /// The age of the oldest event not handled, in seconds; 0 when there is none.
    pub seconds_behind: f64,
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
}

/// What a subscriber is to the program that looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriberKind {
    /// A read model.
    Projection,
    /// Events turned into commands.
    Policy,
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
    for name in service.subscriber_names() {
        let kind = if service.is_policy(name) { SubscriberKind::Policy } else { SubscriberKind::Projection };
        lags.push(lag(stores, name, kind, live.remove(name), head).await?);
    }
    for (name, info) in live {
        lags.push(lag(stores, &name, SubscriberKind::Unknown, Some(info), head).await?);
    }
    Ok(lags)
}

async fn lag(
    stores: &Stores,
    name: &str,
    kind: SubscriberKind,
    info: Option<SubscriberInfo>,
    head: Position,
) -> Result<Lag, CliError> {
    let position = info.as_ref().map_or(Position::START, |info| info.checkpoint);
    let (failure, failed_at) = info.as_ref().and_then(|info| info.failure.clone()).unzip();
    // As its runner would report it, also where none runs.
    let ahead = (position > head).then(|| {
        let subscriber = name.to_string();
        SubscriberError::Ahead { subscriber, checkpoint: position, head }.to_string()
    });
    Ok(Lag {
        name: name.into(),
        kind,
        position,
        head,
        events_behind: head.since(position),
        seconds_behind: if position < head { age_behind(stores, name, position).await? } else { 0.0 },
        generation: info.as_ref().map(|info| info.subscriber.generation()),
        parked: info.as_ref().map_or(0, |info| info.parked),
        holder: info.and_then(|info| info.holder),
        failure: ahead.or(failure),
        failed_at,
    })
}

/// The age of the first event behind `position`, in seconds to the millisecond.
async fn age_behind(stores: &Stores, name: &str, position: Position) -> Result<f64, CliError> {
    let page = stores.store.read_log(position, PageLimit::ONE, &LogFilter::all()).await;
    let page = page.map_err(|error| CliError::because(name, &error))?;
    let age = page.events.first().map(|event| Utc::now() - event.recorded_at);
    Ok(age.map_or(0.0, |age| age.num_milliseconds().max(0) as f64 / 1000.0))
}

/// Prints the lag of every subscriber.
pub(super) async fn run(service: &Service, stores: &Stores, output: &mut Output) -> Result<(), CliError> {
    let lags = lags(service, stores).await?;
    if output.is_json() {
        return lags.iter().try_for_each(|lag| output.json(lag));
    }
    let titles =
        ["name", "position", "head", "events behind", "seconds behind", "parked", "run by", "failure"];
    let row = |lag: &Lag| {
        let seconds = format!("{:.1}", lag.seconds_behind);
        let holder = lag.holder.as_deref().unwrap_or("nobody").to_string();
        let failure = lag.failure.as_deref().map(plain).unwrap_or_default().into_owned();
        vec![
            lag.name.clone(),
            lag.position.to_string(),
            lag.head.to_string(),
            lag.events_behind.to_string(),
            seconds,
            lag.parked.to_string(),
            holder,
            failure,
        ]
    };
    Table::new(titles).print(output, &lags.iter().map(row).collect::<Vec<_>>())
}
