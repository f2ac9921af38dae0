//! `projections`: which generations of which read models there are.

use crate::{CliError, Output, Service, Stores, table::Table};
use annals::{GenerationState, Position, SubscriberInfo};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// One generation of a read model; or a read model that was never projected, which has none.
#[derive(Serialize)]
struct Generation {
    name: String,
    /// Of the projection in this program; none when it has no such projection.
    version: Option<u32>,
    /// Of the projection that fills the generation.
    generation_version: Option<u32>,
    generation: Option<u32>,
    state: Option<GenerationState>,
    position: Position,
    parked: u64,
    holder: Option<String>,
    failure: Option<String>,
    failed_at: Option<DateTime<Utc>>,
}

impl Generation {
    fn none(name: &str, version: u32) -> Self {
        Self {
            name: name.into(),
            version: Some(version),
            generation_version: None,
            generation: None,
            state: None,
            position: Position::START,
            parked: 0,
            holder: None,
            failure: None,
            failed_at: None,
        }
    }

    fn of(info: SubscriberInfo, version: Option<u32>) -> Self {
        let (failure, failed_at) = info.failure.unzip();
        Self {
            name: info.subscriber.name().into(),
            version,
            generation_version: Some(info.version),
            generation: Some(info.subscriber.generation()),
            state: Some(info.state),
            position: info.checkpoint,
            parked: info.parked,
            holder: info.holder,
            failure,
            failed_at,
        }
    }

    /// What somebody should know about it, in a few words.
    fn remark(&self) -> String {
        let replay = || format!("run `replay {}`", self.name);
        match (self.version, self.generation_version, self.state) {
            (None, ..) => "not of this program".into(),
            (_, None, _) => "not projected yet".into(),
            (Some(ours), Some(live), Some(GenerationState::Live)) if ours > live => replay(),
            (Some(ours), Some(live), Some(GenerationState::Live)) if ours < live => {
                format!("made by version {live}: update the program")
            }
            _ => self.failure.clone().unwrap_or_default(),
        }
    }

    fn row(&self) -> Vec<String> {
        let number = |number: Option<u32>| number.map_or_else(|| "-".into(), |number| number.to_string());
        let state = match self.state {
            Some(GenerationState::Live) => "live",
            Some(GenerationState::Building) => "building",
            Some(GenerationState::Retired) => "retired",
            None => "-",
        };
        vec![
            self.name.clone(),
            number(self.version),
            number(self.generation_version),
            number(self.generation),
            state.into(),
            self.position.to_string(),
            self.parked.to_string(),
            self.holder.clone().unwrap_or_else(|| "nobody".into()),
            self.remark(),
        ]
    }
}

/// Prints the generations that are live or being built, and the read models that have none.
pub(super) async fn run(service: &Service, stores: &Stores, output: &mut Output) -> Result<(), CliError> {
    let all = stores.documents.subscribers().await;
    let mut stored = all.map_err(|error| CliError::because("projections", &error))?;
    stored
        .retain(|info| info.state != GenerationState::Retired && !service.is_policy(info.subscriber.name()));
    let mut generations = vec![];
    for projection in service.projections() {
        let (of_it, others): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|info| info.subscriber.name() == projection.name());
        stored = others;
        if of_it.is_empty() {
            generations.push(Generation::none(projection.name(), projection.version()));
        }
        let version = Some(projection.version());
        generations.extend(of_it.into_iter().map(|info| Generation::of(info, version)));
    }
    generations.extend(stored.into_iter().map(|info| Generation::of(info, None)));
    if output.is_json() {
        return generations.iter().try_for_each(|generation| output.json(generation));
    }
    let titles =
        ["name", "version", "made by", "generation", "state", "position", "parked", "run by", "remark"];
    Table::new(titles).print(output, &generations.iter().map(Generation::row).collect::<Vec<_>>())
}
