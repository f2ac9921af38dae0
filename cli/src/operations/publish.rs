//! `publish`: committed events go out to Kafka.

use crate::{CliError, Output, Publication, Published, StoreUrl, Stores, text::plain};
use annals::{Position, SubscriberId};
use clap::{Args, ValueEnum};
use std::{fmt, str::FromStr};
use tokio_util::sync::CancellationToken;

/// What to publish, where to, and whether to go on.
#[derive(Debug, Clone, Args)]
pub struct Publish {
    /// What to publish, and where to.
    #[command(flatten)]
    pub terms: PublishTerms,

    /// Go on with what comes, until ctrl-c or SIGTERM
    #[arg(long, short)]
    pub follow: bool,
}

/// What to publish, and where to.
#[derive(Debug, Clone, Args)]
pub struct PublishTerms {
    /// The cluster: kafka://HOST:PORT, or kafka://USER@HOST:PORT?password-file=PATH
    #[arg(long, value_name = "URL")]
    pub to: StoreUrl,

    /// The publisher's name, by which it finds its place again; one log has one publisher of a name
    #[arg(long, value_name = "NAME", default_value = PUBLISHER, value_parser = publisher_name)]
    pub name: String,

    /// Topics are called by this and the category
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub topic_prefix: String,

    /// The events of this category go to a topic of another name; repeat it for several
    #[arg(long = "topic", value_name = "CATEGORY=TOPIC", value_parser = mapping)]
    pub topics: Vec<(String, String)>,

    /// Make topics that are missing, with so many partitions
    #[arg(long, value_name = "PARTITIONS", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub create_topics: Option<u32>,

    /// Where a publisher begins that has published nothing yet: beginning, now, or behind this position
    #[arg(long, value_name = "beginning|now|POSITION", default_value = "beginning")]
    pub from: From,

    /// Only events in streams of this category; repeat it for several
    #[arg(long = "category", value_name = "CATEGORY")]
    pub categories: Vec<String>,

    /// Only events of this type; repeat it for several
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,

    /// What becomes of an event that is larger than its topic takes
    #[arg(long, value_enum, default_value_t = Oversized::Stop)]
    pub oversize: Oversized,

    /// Headers in the words of CloudEvents besides, with this source
    #[arg(long, value_name = "SOURCE")]
    pub cloud_events: Option<String>,

    /// How often a record goes out; a broker without transactions takes at-least-once only
    #[arg(long, value_enum, default_value_t = Deliver::ExactlyOnce)]
    pub delivery: Deliver,
}

/// What a publisher is called if nothing is said.
pub const PUBLISHER: &str = "publisher";

/// Where a publisher begins that has published nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// With the first event of the log.
    #[default]
    Beginning,
    /// With what is committed from now on.
    Now,
    /// With what lies behind this position.
    Behind(Position),
}

/// What becomes of an event that is larger than its topic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Oversized {
    /// The publisher stops there.
    #[default]
    Stop,
    /// It goes out without its value, with the header `payload-omitted`.
    Omit,
}

/// How often a record goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Deliver {
    /// Once, for consumers that read committed records only.
    #[default]
    ExactlyOnce,
    /// Once as a rule; after a publisher was killed or paused, what it had on its way can be there twice.
    AtLeastOnce,
}

impl PublishTerms {
    /// Everything, from the beginning, to topics called like the categories, which must be there.
    pub fn to(to: StoreUrl) -> Self {
        Self {
            to,
            name: PUBLISHER.into(),
            topic_prefix: String::new(),
            topics: vec![],
            create_topics: None,
            from: From::default(),
            categories: vec![],
            types: vec![],
            oversize: Oversized::default(),
            cloud_events: None,
            delivery: Deliver::default(),
        }
    }
}

impl FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "now" => Ok(Self::Now),
            position => match position.parse() {
                Ok(position) => Ok(Self::Behind(Position::new(position))),
                Err(_) => Err("expected beginning, now, or the position behind which to begin"),
            },
        }
    }
}

fn publisher_name(text: &str) -> Result<String, String> {
    SubscriberId::new(text, 1).map(|_| text.to_string()).map_err(|_| {
        "a publisher is called by a lower-case letter, then lower-case letters, digits and -, at most 64"
            .into()
    })
}

pub(super) fn mapping(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((category, topic)) if !category.is_empty() && !topic.is_empty() => {
            Ok((category.into(), topic.into()))
        }
        _ => Err("expected CATEGORY=TOPIC, as in order=sales"),
    }
}

/// Publishes what is there, or follows until `stop`, and says what was done.
pub(super) async fn run(
    stores: &Stores,
    wanted: Publish,
    output: &mut Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let publication = Publication::of(&wanted.terms)?;
    let published = if wanted.follow {
        output.note(format_args!("publishing as {} to {publication} until ctrl-c", publication.name()));
        publication.follow(stores, stop.clone()).await?
    } else {
        let progress = output.progress("publishing");
        let published = publication.catch_up(stores, Some(progress.clone()), stop).await;
        progress.done();
        published?
    };
    output.answer(&published, Published::to_string)
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, to, topics, records, position, seconds } = self;
        write!(f, "{name}: {records} records to {to} in {seconds:.1} s, at position {position} of the log")?;
        topics.iter().try_for_each(|(topic, records)| write!(f, "\n  {}  {records}", plain(topic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_begins_where_it_is_told() {
        assert_eq!("now".parse(), Ok(From::Now));
        assert_eq!("17".parse(), Ok(From::Behind(Position::new(17))));
        assert!("yesterday".parse::<From>().is_err() && "-1".parse::<From>().is_err());
    }
}
