//! The commands that every service has.

pub mod check;
pub mod consume;
pub mod dead_letters;
pub mod grant;
pub mod lag;
pub mod parked;
mod projections;
pub mod publish;
pub mod query;
pub mod replay;
pub mod show;
pub mod streams;
pub mod tail;

use crate::{
    Access, CliError, Global, Output, Publication, Service, Stores, consumption::Consumption, interrupted,
    publication::check_cluster,
};
use clap::Subcommand;
use tokio_util::sync::CancellationToken;

/// The commands that every service has. A service flattens them into its own:
///
/// ```
/// #[derive(clap::Parser)]
/// struct Program {
///     #[command(flatten)]
///     global: annals_cli::Global,
///     #[command(subcommand)]
///     command: Command,
/// }
///
/// #[derive(clap::Subcommand)]
/// enum Command {
///     /// Take orders.
///     Serve,
///     #[command(flatten)]
///     Operations(annals_cli::Operations),
/// }
/// ```
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum Operations {
    /// List the streams and their versions
    Streams(streams::Streams),
    /// Show the state and history of a stream, now or at an earlier time
    Show(show::Show),
    /// Print the log event by event, and what comes
    Tail(tail::Tail),
    /// List the read models and their generations
    Projections,
    /// Make read models anew from the log, beside those that serve, then switch
    Replay(replay::Replay),
    /// Print the documents of a read model
    Query(query::Query),
    /// Tell how far each subscriber is behind the log
    Lag(lag::LagTerms),
    /// Publish committed events to Kafka: a topic for each category, a key for each aggregate, each once and in order
    Publish(publish::Publish),
    /// Fill read models from topics of Kafka, in a service without a log of its own: each event once, whatever is killed
    Consume(consume::Consume),
    /// Look at events that read models refused, retry or discard them
    #[command(subcommand)]
    Parked(parked::Parked),
    /// Look at events that a consumer of Kafka could not handle, have it handle them again, or discard them
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
    /// Check that the log is whole and that every event can be read
    Check,
    /// Let a role of PostgreSQL append or read
    Grant(grant::Grant),
}

impl Operations {
    /// What becomes of files that are missing.
    fn access(&self) -> Access {
        match self {
            // Both keep their place where the read models are.
            Self::Replay(_) | Self::Publish(_) => Access::Replay,
            _ => Access::Look,
        }
    }

    /// What is wrong with what is wanted of Kafka, told before anything is opened.
    fn check_kafka(&self, service: &Service) -> Result<(), CliError> {
        match self {
            Self::Consume(wanted) => Consumption::of(&wanted.terms, service).map(drop),
            Self::Publish(wanted) => Publication::of(&wanted.terms).map(drop),
            Self::Lag(lag::LagTerms { kafka: Some(url), .. }) => {
                check_cluster("lag --kafka", "--kafka", Some(url))
            }
            Self::DeadLetters(wanted) => wanted.check_kafka(),
            _ => Ok(()),
        }
    }
}

/// Runs `operation` on the stores that `global` names, printing to stdout; ctrl-c and SIGTERM end what would go on for
/// ever.
pub async fn run(service: &Service, global: &Global, operation: Operations) -> Result<(), CliError> {
    operation.check_kafka(service)?;
    if let Operations::Lag(lag::LagTerms { kafka: Some(url), group: Some(group) }) = &operation
        && Stores::lack_log(service, global).await?
    {
        let mut output = Output::stdout(global);
        let done = lag::run_without_log(url, group, &mut output).await;
        return done.and(output.flush());
    }
    let stores = match &operation {
        // A service that consumes may have no log of its own.
        Operations::DeadLetters(_) => Stores::read_models(service, global).await?,
        Operations::Consume(_) => Stores::to_be_filled(service, global).await?,
        Operations::Query(_) if global.read_models.is_some() && Stores::lack_log(service, global).await? => {
            Stores::read_models(service, global).await?
        }
        _ => Stores::open(service, global, operation.access()).await?,
    };
    let mut output = Output::stdout(global);
    let stop = match &operation {
        Operations::Publish(_) | Operations::Consume(_) => interrupted(),
        Operations::Tail(tail) if tail.follow => interrupted(),
        _ => CancellationToken::new(),
    };
    run_on(service, &stores, operation, &mut output, &stop).await
}

/// Runs `operation` on stores that are open; `stop` ends what would go on for ever.
pub async fn run_on(
    service: &Service,
    stores: &Stores,
    operation: Operations,
    output: &mut Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let done = match operation {
        Operations::Streams(wanted) => streams::run(stores, wanted, output).await,
        Operations::Show(wanted) => show::run(service, stores, wanted, output).await,
        Operations::Tail(wanted) => tail::run(stores, wanted, output, stop).await,
        Operations::Projections => projections::run(service, stores, output).await,
        Operations::Replay(wanted) => replay::run(service, stores, wanted, output).await,
        Operations::Query(wanted) => query::run(service, stores, wanted, output).await,
        Operations::Lag(wanted) => lag::run(service, stores, &wanted, output).await,
        Operations::Publish(wanted) => publish::run(stores, wanted, output, stop).await,
        Operations::Consume(wanted) => consume::run(service, stores, wanted, output, stop).await,
        Operations::Parked(wanted) => parked::run(service, stores, wanted, output).await,
        Operations::DeadLetters(wanted) => dead_letters::run(stores, wanted, output).await,
        Operations::Check => check::run(service, stores, output).await,
        Operations::Grant(wanted) => grant::run(stores, wanted, output).await,
    };
    // What was printed before a failure is written all the same; the failure is the one to tell.
    let written = output.flush();
    done.and(written)
}
