//! Each read model from nothing, against the one that followed.

use crate::work::interruption;
use annals_cli::{CliError, Output, Service, Stores};
use tokio_util::sync::CancellationToken;

/// Makes all read models anew and counts the documents that differ. Waits for a replay of another process, and for the
/// lease of one that was killed.
pub(super) async fn replay(
    service: &Service,
    stores: &Stores,
    output: &Output,
    interrupted: &CancellationToken,
) -> Result<u64, CliError> {
    let mut differences = 0;
    for projection in service.projections() {
        let replaying = annals_cli::replay(stores, projection, true, 1, output);
        let replayed = interrupted.run_until_cancelled(replaying).await.ok_or_else(interruption)??;
        // None where nothing was live to compare with.
        let found = replayed.differences.unwrap_or(0);
        if found > 0 {
            output.note(format_args!("{}: documents that differ from a replay: {found}", replayed.name));
        }
        differences += found;
    }
    Ok(differences)
}
