//! How far consumer groups are behind.

use super::GroupLag;
use crate::{
    CliError, Output, StoreUrl,
    operations::lag::SubscriberKind,
    publication::{cluster, kafka_failed},
};
use annals_kafka::{GroupsError, PartitionLag};
use std::collections::BTreeMap;

/// How far `group` is behind in all that it reads; without one, every group that reads any of `topics`, there.
///
/// # Errors
/// When the cluster does not answer, the URL is none, or `group` has committed nothing there.
pub(crate) async fn groups(
    url: &StoreUrl,
    group: Option<&str>,
    topics: Vec<String>,
    output: &mut Output,
) -> Result<Vec<GroupLag>, CliError> {
    let options = cluster("--kafka", url)?;
    let found = match group {
        Some(group) => {
            let lags = PartitionLag::of_group(&options, group).await;
            let lags = lags.map_err(|error| kafka_failed(group, &error))?;
            if lags.is_empty() {
                let reason = format!("no group of that name has committed anything to {options}");
                return Err(CliError::failed(group, reason).next(
                    "see that its consumer runs; `lag --kafka URL` lists the groups that read what is published here",
                ));
            }
            BTreeMap::from([(group.to_string(), lags)])
        }
        None if topics.is_empty() => BTreeMap::new(),
        None => match PartitionLag::of_all(&options, topics).await {
            Ok(found) => found,
            Err(GroupsError::Kafka(failed)) => return Err(kafka_failed("lag --kafka", &failed)),
            Err(error) => {
                output.note(format_args!("{error} with --group"));
                BTreeMap::new()
            }
        },
    };
    let told = |(name, lag): (&String, PartitionLag)| GroupLag {
        name: name.clone(),
        kind: SubscriberKind::Group,
        topic: lag.topic,
        partition: lag.partition,
        committed: lag.committed,
        end: lag.end,
        offsets_behind: lag.behind,
    };
    let all = found.iter().flat_map(|(name, lags)| lags.iter().map(move |lag| (name, lag.clone())));
    Ok(all.map(told).collect())
}
