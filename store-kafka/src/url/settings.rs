//! Files with further settings, and with tokens.

use super::{Token, UrlError, first_line};
use crate::failure::refusal;
use rdkafka::{ClientConfig, error::KafkaError};
use std::{
    fs,
    time::{Duration, SystemTime},
};

/// Settings that a file may not change: the promises of publisher and consumer rest on them, this crate sets them, or
/// the URL says them. Each with its aliases: of two names for one setting, the client would take whichever it meets
/// last.
const OURS: [&str; 41] = [
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "fetch.wait.max.ms",
    "group.id",
    "isolation.level",
    "linger.ms",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "request.required.acks",
    "retries",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "statistics.interval.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// An unknown name is quoted where it looks like that of a setting, up to this many characters.
const NAME_CHARS_MAX: usize = 64;

/// The settings in the file at `path`.
pub(super) fn read(path: &str) -> Result<Vec<(String, String)>, UrlError> {
    let text = fs::read_to_string(path)
        .map_err(|error| UrlError::file(format!("settings {path} cannot be read: {error}")))?;
    let mut settings = vec![];
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line itself is left out: it may hold a secret.
        let Some((name, value)) = line.split_once('=') else {
            return Err(UrlError::setting(format!("line {number} of settings {path} is no setting")));
        };
        let name = name.trim();
        if OURS.contains(&name) {
            return Err(UrlError::setting(format!(
                "line {number} of settings {path}: {name} is not for a file to say"
            )));
        }
        let value = value.trim();
        if let Some(why) = refused(name, value) {
            let reason = format!("line {number} of settings {path}: {}{why}", named(name));
            return Err(UrlError::setting(reason));
        }
        settings.push((name.into(), value.into()));
    }
    Ok(settings)
}

/// Why the client does not take this, in words that do not quote the value.
fn refused(name: &str, value: &str) -> Option<&'static str> {
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => None,
        Err(KafkaError::ClientConfig(why, ..)) => Some(refusal(why)),
        Err(_) => Some("it is no text that the client takes"),
    }
}

/// The name of a setting. What does not look like one may be a piece of a secret that was broken into lines.
fn named(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    match name.contains('.') && name.len() <= NAME_CHARS_MAX && name.chars().all(plain) {
        true => format!("{name}: "),
        false => String::new(),
    }
}

/// A token that does not say how long it counts is read again after this time.
const TOKEN_LASTS: Duration = Duration::from_secs(300);

/// The token in the file at `path`, as it is now.
pub(super) fn token(path: &str) -> Result<Token, String> {
    let token = first_line("token", path).map_err(|error| error.reason().to_string())?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let until_ms = i64::try_from((now + TOKEN_LASTS).as_millis()).unwrap_or(i64::MAX);
    Ok(Token { token, principal: "annals".into(), until_ms })
}
