//! `show`: what a stream says, now or at an earlier time.

use crate::{
    CliError, EventShown, Output, Service, Stores,
    service::Folded,
    text::{plain, raw},
};
use annals::{At, PageLimit, RecordedEvent, StreamId, Version, VersionRange};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::Value;

/// Which stream to show, and when.
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// The stream, as in order-7f3c or acme/order-7f3c
    pub stream: StreamId,
    /// As it was after this version; 0 is before its first event
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub version: Option<u64>,
    /// As it was at this time, as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<DateTime<Utc>>,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    let time = time.map_err(|error| format!("{error}; a time looks like 2026-01-31T12:00:00Z"))?;
    Ok(time.with_timezone(&Utc))
}

/// Prints state and history. A stream of a category that the service does not know has a history only.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: Show,
    output: &mut Output,
) -> Result<(), CliError> {
    let stream = &wanted.stream;
    there(stores, &wanted).await?;
    let at = match (wanted.version, wanted.at) {
        (_, Some(time)) => At::Time(time),
        (version, None) => At::Version(Version::new(version.unwrap_or(u64::MAX))),
    };
    let folded = match service.aggregate_of(stream.category()) {
        Some(aggregate) => Some(aggregate.fold(&service.engine(stores), stream, at).await?),
        None => None,
    };
    begin(output, stream, folded.as_ref())?;
    let until = folded.as_ref().map_or(at, |folded| At::Version(folded.version));
    let version = history(stores, stream, until, output).await?;
    if output.is_json() { output.part(format_args!("],\"version\":{version}}}\n")) } else { Ok(()) }
}

/// Whether there is anything to show: the stream, and that version of it.
async fn there(stores: &Stores, wanted: &Show) -> Result<(), CliError> {
    let stream = &wanted.stream;
    let failed = |reason: String| CliError::failed(plain(stream.as_str()), reason);
    let last = read(stores, stream, VersionRange::ALL.backwards(), PageLimit::ONE).await?.pop();
    let Some(last) = last else {
        return Err(failed("there is no such stream".into()).next("list them with `streams`"));
    };
    if let Some(version) = wanted.version.filter(|version| *version > last.version.get()) {
        let reason = format!("there is no version {version} yet, it is at {}", last.version);
        return Err(failed(reason).next("leave --version out to see the last"));
    }
    Ok(())
}

fn begin(output: &mut Output, stream: &StreamId, folded: Option<&Folded>) -> Result<(), CliError> {
    if output.is_json() {
        let state = folded.map_or_else(|| "null".into(), |folded| raw(&folded.state).get().to_string());
        let stream = Value::from(stream.as_str());
        return output.part(format_args!("{{\"stream\":{stream},\"state\":{state},\"history\":["));
    }
    let shown = plain(stream.as_str());
    match folded {
        Some(folded) => {
            output.text(format_args!("{shown} at version {}\n{}\n", folded.version, folded.pretty))
        }
        None => output.text(format_args!("{shown}, whose state this program does not know\n")),
    }
}

/// Prints the events of the stream up to `until`; returns the version of the last.
async fn history(
    stores: &Stores,
    stream: &StreamId,
    until: At,
    output: &mut Output,
) -> Result<Version, CliError> {
    let (through, time) = match until {
        At::Version(version) => (version, DateTime::<Utc>::MAX_UTC),
        At::Time(time) => (Version::new(u64::MAX), time),
    };
    let mut version = Version::EMPTY;
    loop {
        let range = VersionRange::after(version).through(through);
        let page = read(stores, stream, range, PageLimit::DEFAULT).await?;
        for event in &page {
            if event.recorded_at > time {
                return Ok(version);
            }
            let shown = EventShown::from(event);
            if output.is_json() {
                let comma = if version == Version::EMPTY { "" } else { "," };
                output.part(comma)?;
                output.json_part(&shown)?;
            } else {
                output.text(shown)?;
            }
            version = event.version;
        }
        if page.len() < PageLimit::DEFAULT.get() {
            return Ok(version);
        }
    }
}

async fn read(
    stores: &Stores,
    stream: &StreamId,
    range: VersionRange,
    limit: PageLimit,
) -> Result<Vec<RecordedEvent>, CliError> {
    let page = stores.store.read(stream, range, limit).await;
    page.map_err(|error| CliError::because(plain(stream.as_str()), &error))
}
