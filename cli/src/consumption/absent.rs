//! In place of consumers, in a program that was built without Kafka.

use super::GroupLag;
use crate::{CliError, Output, StoreUrl, publication::check_cluster};

/// Fails.
///
/// # Errors
/// Always.
pub(crate) async fn groups(
    url: &StoreUrl,
    _: Option<&str>,
    _: Vec<String>,
    _: &mut Output,
) -> Result<Vec<GroupLag>, CliError> {
    check_cluster("lag --kafka", "--kafka", url).map(|()| vec![])
}
