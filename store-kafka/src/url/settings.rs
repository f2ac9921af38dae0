//! Files with further settings, and with tokens.

use super::{Token, UrlError, first_line};
use std::{
    fs,
    time::{Duration, SystemTime},
};

/// Settings that a file may not change: the promises of publisher and consumer rest on them, or the URL says them.
const OURS: [&str; 24] = [
    "acks",
    "bootstrap.servers",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "retries",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "transactional.id",
];

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
        settings.push((name.into(), value.trim().into()));
    }
    Ok(settings)
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
