//! Each read model from nothing, against the one that followed.

use crate::work::interruption;
use annals::{Rebuild, error_text};
use annals_cli::{CliError, Output, Service, Stores};
use tokio_util::sync::CancellationToken;

/// Makes all read models anew and counts the documents that differ.
pub(super) async fn replay(
    service: &Service,
    stores: &Stores,
    output: &Output,
    interrupted: &CancellationToken,
) -> Result<u64, CliError> {
    let mut differences = 0;
    for projection in service.projections() {
        let name = projection.name();
        let progress = output.progress(&format!("replaying {name}"));
        let rebuild = Rebuild::new(projection.clone(), stores.store.clone(), stores.documents.clone());
        let mut told = |page: &annals::LogPage| progress.at(page.looked.get(), page.head.get());
        let rebuilt = tokio::select! {
            biased;
            rebuilt = rebuild.compare(&mut told) => rebuilt,
            () = interrupted.cancelled() => return Err(interruption()),
        };
        let rebuilt =
            rebuilt.map_err(|error| CliError::failed(format!("replay {name}"), error_text(&error)))?;
        let found = rebuilt.comparison.map_or(0, |comparison| comparison.differences());
        if found > 0 {
            output.note(format_args!("{name}: {found} documents differ from a replay"));
        }
        differences += found;
    }
    Ok(differences)
}
