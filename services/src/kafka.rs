//! An Apache Kafka broker of our own: one node in KRaft mode.

mod archive;
mod broker;
mod jars;
mod metadata;
mod own;
mod process;
mod properties;
mod sasl;
mod tool;

pub use broker::KafkaBroker;
pub use own::OwnBroker;
pub use sasl::{Logins, RIGHTS_CHECKED};
pub use tool::KafkaTool;

/// The oldest Java that Kafka 4 runs on.
const JAVA_MAJOR_MIN: u32 = 17;

/// The versions of Kafka and of the Java that runs it.
///
/// # Errors
/// When one is lacking: the next step.
pub fn kafka_finding() -> anyhow::Result<String> {
    let tool = KafkaTool::find()?;
    Ok(format!("Apache Kafka {} on Java {}", jars::version(), tool.java().major()))
}
