//! In place of consumers, in a program that was built without Kafka.

use super::{Filling, GroupLag, Letters};
use crate::{
    CliError, ConsumeTerms, Output, Progress, Service, StoreUrl, Stores, publication::check_cluster,
};
use annals::{Parked, SubscriberId, SubscriberInfo};
use tokio_util::sync::CancellationToken;

/// There is none: asking for one says how to get a program that has it.
pub(crate) enum Consumption {}

impl Consumption {
    /// Fails.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn of(wanted: &ConsumeTerms, _: &Service) -> Result<Self, CliError> {
        check_cluster("consume", "--from", Some(&wanted.from))?;
        Err(CliError::usage("consume", "this program was built without Kafka"))
    }

    /// Never called.
    pub(crate) fn groups(&self) -> Vec<String> {
        match *self {}
    }

    /// Never called.
    pub(crate) fn left_out(&self) -> &[&'static str] {
        match *self {}
    }

    /// Never called.
    pub(crate) async fn catch_up(
        &self,
        _: &Stores,
        _: Progress,
        _: &CancellationToken,
    ) -> Result<Filling, CliError> {
        match *self {}
    }

    /// Never called.
    pub(crate) async fn follow(&self, _: &Stores, _: &CancellationToken) -> Result<Filling, CliError> {
        match *self {}
    }
}

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
