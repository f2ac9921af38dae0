//! What is known about an event besides what it says.

use crate::{CommandId, EventId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known about an event besides what it says: which command led to it, on whose behalf, in which trace.
///
/// Stored as JSON beside the payload, at most [`METADATA_BYTES_MAX`](crate::METADATA_BYTES_MAX). The tenant is
/// not here: it belongs to the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metadata {
    /// Shared by everything that one request set in motion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The event that led to the command, where a policy or process sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The command that led to the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// On whose behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Whatever else the service wants to keep.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<String, String>,
}
