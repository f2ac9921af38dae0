//! `consume`: read models are filled from topics of Kafka, in a service without a log of its own.

use super::publish::mapping;
use crate::{
    CliError, Filled, Output, Service, StoreUrl, Stores,
    consumption::{Consumption, Filling},
    table::Table,
    text::plain,
};
use annals::Position;
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

/// Which read models are filled, from where, and whether it goes on.
#[derive(Debug, Clone, Args)]
pub struct Consume {
    /// Which read models are filled, and from where.
    #[command(flatten)]
    pub terms: ConsumeTerms,

    /// Go on with what comes, until ctrl-c or SIGTERM
    #[arg(long, short)]
    pub follow: bool,
}

/// Which read models are filled, and from where.
#[derive(Debug, Clone, Args)]
pub struct ConsumeTerms {
    /// The read models [default: all of this program that topics can fill]
    #[arg(value_name = "READMODEL")]
    pub names: Vec<String>,

    /// The cluster: kafka://HOST:PORT, or kafka://USER@HOST:PORT?password-file=PATH
    #[arg(long, value_name = "URL")]
    pub from: StoreUrl,

    /// Each read model is filled by a consumer group of its own, called GROUP-READMODEL; one place of read models has a
    /// GROUP of its own
    #[arg(long, value_name = "GROUP", value_parser = group_name)]
    pub group: String,

    /// Topics are called by this and the category
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub topic_prefix: String,

    /// The events of this category are in a topic of another name; repeat it for several
    #[arg(long = "topic", value_name = "CATEGORY=TOPIC", value_parser = mapping)]
    pub topics: Vec<(String, String)>,

    /// Make topics that are missing, with so many partitions, for events that are still to be published
    #[arg(long, value_name = "PARTITIONS", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub create_topics: Option<u32>,

    /// Go on without what is missing up to this position: what a partition that stood still has told
    #[arg(long = "pass-over", value_name = "PART=POSITION", value_parser = passing)]
    pub pass_over: Vec<(String, Position)>,

    /// What becomes of a record that is no event of a publisher of ours
    #[arg(long, value_enum, default_value_t = ForeignRecords::Stop)]
    pub foreign: ForeignRecords,
}

/// What becomes of a record that is no event of a publisher of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ForeignRecords {
    /// Its partition stands still there.
    #[default]
    Stop,
    /// It is passed over, and counted.
    PassOver,
}

/// The longest name of a group, in bytes, that is taken: with a read model behind it, it is no longer than a topic's.
pub const GROUP_BYTES_MAX: usize = 184;

fn group_name(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    match !text.is_empty() && text.len() <= GROUP_BYTES_MAX && plain {
        true => Ok(text.into()),
        false => Err("a group is called by letters, digits, '.', '_' and '-', at most 184"),
    }
}

fn passing(text: &str) -> Result<(String, Position), &'static str> {
    let parsed = text.split_once('=').and_then(|(part, to)| Some((part, to.parse().ok()?)));
    match parsed {
        Some((part, to)) if !part.is_empty() => Ok((part.into(), Position::new(to))),
        _ => Err("expected PART=POSITION, as the error of the partition told them"),
    }
}

/// Fills read models with what is there, or follows until `stop`, and says what was done.
pub(super) async fn run(
    service: &Service,
    stores: &Stores,
    wanted: Consume,
    output: &mut Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let consumption = Consumption::of(&wanted.terms, service)?;
    for name in consumption.left_out() {
        output.note(format_args!("{name}: it is of a kind that only a log fills"));
    }
    let Filling { filled, notes, mut failed } = if wanted.follow {
        let groups = consumption.groups().join(", ");
        output.note(format_args!("consuming from {} as {groups} until ctrl-c", wanted.terms.from));
        consumption.follow(stores, stop).await?
    } else {
        let progress = output.progress("consuming");
        let done = consumption.catch_up(stores, progress.clone(), stop).await;
        progress.done();
        done?
    };
    print(&filled, output)?;
    let parked: u64 = filled.iter().map(|filled| filled.parked).sum();
    if parked > 0 {
        let (from, stores) = (&wanted.terms.from, output.stores_again());
        output
            .note(format_args!("{parked} events are parked: see `dead-letters list --kafka {from}{stores}`"));
    }
    notes.iter().for_each(|note| output.note(note));
    // Each with its own reason and next step.
    let last = failed.pop();
    failed.iter().for_each(|error| output.failed(error));
    last.map_or(Ok(()), Err)
}

fn print(filled: &[Filled], output: &mut Output) -> Result<(), CliError> {
    if output.is_json() {
        return filled.iter().try_for_each(|filled| output.json(filled));
    }
    let row = |filled: &Filled| {
        let Filled { name, group, topic, handled, skipped, repeated, foreign, parked } = filled;
        let numbers = [handled, skipped, repeated, foreign, parked].map(|count| count.to_string());
        [name.clone(), group.clone(), plain(topic).into_owned()].into_iter().chain(numbers).collect()
    };
    let titles = ["read model", "group", "topic", "handled", "skipped", "repeated", "foreign", "parked"];
    Table::new(titles).print(output, &filled.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_called_by_what_every_tool_takes() {
        for name in ["", "a b", "a/b", "ümlaut", &"x".repeat(GROUP_BYTES_MAX + 1)] {
            assert!(group_name(name).is_err(), "{name}");
        }
        assert!(group_name(&"x".repeat(GROUP_BYTES_MAX)).is_ok() && group_name("shop.reporting_1-a").is_ok());
    }

    #[test]
    fn what_is_passed_over_is_a_part_and_a_position() {
        assert_eq!(
            passing("orders-1-at-563ad910-0=17"),
            Ok(("orders-1-at-563ad910-0".into(), Position::new(17)))
        );
        for text in ["", "orders", "=17", "orders=", "orders=-1", "orders=x"] {
            assert!(passing(text).is_err(), "{text}");
        }
    }
}
