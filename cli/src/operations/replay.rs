//! `replay`: read models made anew from the log.

use crate::{CliError, Output, Progress, Service, Stores, standstill::Standstill, text::plain};
use annals::{
    LeaseError, LogPage, Position, Rebuild, RebuildError, Rebuilt, Registered, SubscriberError, SubscriberId,
};
use clap::Args;
use serde::Serialize;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How long a rebuild waits for another one that stands still: the lease of one that was killed has long run out by
/// then, and one that compares or clears up is at work again.
pub const REBUILD_WAIT_MAX: Duration = Duration::from_secs(60);

/// How often it is looked where that one is.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Which read models to make anew.
#[derive(Debug, Clone, Default, Args)]
pub struct Replay {
    /// The read models
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Compare with what is there, and replace it only if nothing differs
    #[arg(long)]
    pub diff: bool,
    /// Write this many parts of a read model at once, where the store can
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(annals::LANES_MAX)))]
    pub lanes: u32,
}

/// What became of one read model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Replayed {
    /// Its name.
    pub name: String,
    /// How many events it took in, of those that it takes at all.
    pub events: u64,
    /// How long that took.
    pub seconds: f64,
    /// How many events it took in per second.
    pub events_per_second: f64,
    /// How many documents differ from those that were there; none where nothing was compared.
    pub differences: Option<u64>,
    /// The keys of the first few that differ.
    pub examples: Vec<String>,
    /// Whether it is what readers see now.
    pub switched: bool,
    /// The new generation.
    pub generation: u32,
    /// Where it stands in the log.
    pub position: Position,
}

impl Replayed {
    fn of(name: &str, rebuilt: Rebuilt, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        Self {
            name: name.into(),
            events: rebuilt.events,
            seconds,
            events_per_second: if seconds > 0.0 { rebuilt.events as f64 / seconds } else { 0.0 },
            differences: rebuilt.comparison.as_ref().map(annals::Comparison::differences),
            examples: rebuilt.comparison.map_or_else(Vec::new, |comparison| comparison.examples),
            switched: rebuilt.switched,
            generation: rebuilt.generation.generation(),
            position: rebuilt.position,
        }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, events, seconds, generation, position, .. } = self;
        let speed = self.events_per_second;
        write!(f, "{name}: {events} events in {seconds:.2} s ({speed:.0}/s)")?;
        match self.differences {
            Some(0) => f.write_str(", no difference")?,
            Some(differences) => {
                let examples: Vec<_> = self.examples.iter().map(|key| plain(key)).collect();
                write!(f, ", documents that differ: {differences}, such as {}", examples.join(", "))?;
            }
            None => {}
        }
        let now = if self.switched { "is live" } else { "is kept aside" };
        write!(f, "; generation {generation} {now} at position {position}")
    }
}

/// Makes one read model anew, writing in as many lanes at once where the store can. With `diff` it replaces what is
/// there only if nothing differs. Shows its progress on `output`.
///
/// # Errors
/// When it cannot be made, or another process is making it and stands still. One that moves is waited for. Replaying
/// again goes on where it stopped.
pub async fn replay(
    stores: &Stores,
    projection: &Registered,
    diff: bool,
    lanes: u32,
    output: &Output,
) -> Result<Replayed, CliError> {
    let name = projection.name();
    let rebuild =
        Rebuild::new(projection.clone(), stores.store.clone(), stores.documents.clone()).lanes(lanes);
    let bar = output.progress(name);
    let mut progress = |page: &LogPage| bar.at(page.looked.get(), page.head.get());
    let mut standstill = Standstill::new(REBUILD_WAIT_MAX);
    loop {
        let began = Instant::now();
        let outcome =
            if diff { rebuild.compare(&mut progress).await } else { rebuild.run(&mut progress).await };
        match outcome {
            Ok(rebuilt) => {
                bar.done();
                return Ok(Replayed::of(name, rebuilt, began.elapsed()));
            }
            Err(RebuildError::Fill(SubscriberError::Lease(LeaseError::Held {
                subscriber, holder, ..
            }))) => {
                let waited = wait_for_other(stores, &subscriber, &holder, &mut standstill, &bar).await;
                if let Err(error) = waited {
                    bar.done();
                    return Err(error);
                }
            }
            Err(error) => {
                bar.done();
                return Err(CliError::because(format_args!("replay {name}"), &error));
            }
        }
    }
}

/// Waits a moment for `holder`, who makes the read model too; fails when that one has stood still for too long.
async fn wait_for_other(
    stores: &Stores,
    generation: &SubscriberId,
    holder: &str,
    standstill: &mut Standstill<Position>,
    bar: &Progress,
) -> Result<(), CliError> {
    let name = generation.name();
    let at = stores.place_of(generation).await;
    let at = at.map_err(|error| CliError::because(format_args!("replay {name}"), &error))?;
    if !standstill.bears(at) {
        let reason = format!("{holder} makes it too, and stands still at position {at}");
        return Err(CliError::failed(format_args!("replay {name}"), reason).next(
            "see what that process does, or end it; then replay again: it goes on where that one stopped",
        ));
    }
    bar.says(format_args!("{name}: waiting for {holder}, which makes it too or was interrupted"));
    tokio::time::sleep(LOOK_INTERVAL).await;
    Ok(())
}

/// Makes read models anew, one after the other; one that fails keeps no other from its turn.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: Replay,
    output: &mut Output,
) -> Result<(), CliError> {
    let (mut differing, mut failed) = (vec![], None);
    for projection in projections(service, &wanted)? {
        match replay(stores, projection, wanted.diff, wanted.lanes, output).await {
            Ok(replayed) => {
                if !replayed.switched {
                    differing.push(projection.name());
                }
                output.answer(&replayed, ToString::to_string)?;
                output.flush()?;
            }
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    output.note(format_args!("error: {before}"));
                }
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if differing.is_empty() {
        return Ok(());
    }
    let names = differing.join(" ");
    let error = CliError::failed(&names, "what was replayed differs from what is live, which stays live");
    Err(error
        .next(format_args!("look at the documents named; `replay {names}` switches to what was replayed")))
}

fn projections<'a>(service: &'a Service, wanted: &Replay) -> Result<Vec<&'a Registered>, CliError> {
    if wanted.all {
        return match service.projections() {
            [] => Err(CliError::usage("--all", "this program has no read models")
                .next("use the program of the service")),
            all => Ok(all.iter().collect()),
        };
    }
    // All names are looked up before anything is done.
    let mut found: Vec<&Registered> = vec![];
    for name in &wanted.names {
        let projection = service.known_projection(name)?;
        if found.iter().all(|known| known.name() != projection.name()) {
            found.push(projection);
        }
    }
    Ok(found)
}
