//! The commands that every service has.

use crate::{CliError, Global, Output, Service, Stores};
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
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Operations {
    /// What checks the integrity of the log
    Check,
}

/// Runs `operation` on the stores that `global` names, printing to stdout; ctrl-c ends what would go on for ever.
pub async fn run(service: &Service, global: &Global, operation: Operations) -> Result<(), CliError> {
    let stores = Stores::open(service, global, crate::Access::Look)?;
    let mut output = Output::stdout(global);
    let stop = CancellationToken::new();
    run_on(service, &stores, operation, &mut output, &stop).await
}

/// Runs `operation` on stores that are open; `stop` ends what would go on for ever.
pub async fn run_on(
    _service: &Service,
    _stores: &Stores,
    operation: Operations,
    output: &mut Output,
    _stop: &CancellationToken,
) -> Result<(), CliError> {
    match operation {
        Operations::Check => {}
    }
    output.flush()
}
