//! In place of consumers, in a program that was built without Kafka.

use super::{GroupLag, Letters};
use crate::{CliError, Output, StoreUrl, publication::check_cluster};
use annals::{Parked, SubscriberId, SubscriberInfo};

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
    check_cluster("lag --kafka", "--kafka", Some(url)).map(|()| vec![])
}

impl Letters {
    /// Fails.
    ///
    /// # Errors
    /// Always.
    pub(crate) async fn of(
        url: &StoreUrl,
        _: &SubscriberId,
        _: &[SubscriberInfo],
        _: &[Parked],
        _: bool,
    ) -> Result<Self, CliError> {
        check_cluster("dead-letters", "--kafka", Some(url)).map(|()| Self::default())
    }
}
