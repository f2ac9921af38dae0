//! The replay and operations commands, as a library that a service embeds. It knows no domain: a service registers
//! its aggregates, projections and policies, and flattens [`Operations`] into its own commands.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage. stdout carries what was asked for and nothing else; errors, remarks
//! and progress go to stderr.

mod consumption;
mod drain;
mod error;
mod event_shown;
mod global;
mod integrity;
mod interrupt;
pub mod operations;
mod output;
mod program;
mod progress;
mod publication;
mod service;
mod standstill;
mod stores;
mod table;
mod text;
mod url;

pub use consumption::{Filled, GroupLag};
pub use drain::{STANDSTILL_MAX, drain};
pub use error::{CliError, Exit, exit_code};
pub(crate) use event_shown::EventShown;
pub use global::Global;
pub use interrupt::interrupted;
pub use operations::{
    Operations,
    check::{Checked, check},
    consume::ConsumeTerms,
    lag::{Lag, lags},
    publish::PublishTerms,
    replay::{Replayed, replay},
};
pub use output::Output;
pub use program::{LEFT_BEHIND_MAX, arguments, log_to_stderr, run_to_end};
pub use progress::{PROGRESS_AFTER, Progress};
pub use publication::{Proven, ProvenTopic, Publication, Published, Sent, SentTopic};
pub use service::Service;
pub use stores::{Access, Settings, Stores};
pub use url::StoreUrl;
