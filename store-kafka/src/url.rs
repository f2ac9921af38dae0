//! Where a cluster lies and how it is spoken to, as a URL says it.

mod error;
mod settings;
#[cfg(test)]
mod tests;

pub use error::UrlError;

use percent_encoding::percent_decode_str;
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};
use std::{fmt, fs, net::IpAddr, str::FromStr, sync::Arc};

/// Where a cluster of Apache Kafka lies, and how it is spoken to.
///
/// Read from `kafka://USER:PASSWORD@HOST:PORT,HOST:PORT?OPTIONS`. Options:
///
/// - `security=ssl`, `sasl_ssl`, `sasl_plaintext` or `plaintext`. **Without it TLS is used**: `sasl_ssl` where there is a
///   user or a token, else `ssl`; only brokers of this machine (`localhost`, loopback addresses) without a user are spoken
///   to in plain text unasked. The broker's certificate must be for the name of its host and signed by somebody whom this
///   machine or `ca=PATH` (PEM) trusts.
/// - `mechanism=PLAIN` (if nothing is said), `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`.
/// - `password-file=PATH`: the password is the first line of this file.
/// - `token-file=PATH`: for OAUTHBEARER, a token (JWT) that is read anew whenever the broker wants a fresh one; whoever
///   embeds this crate may give a function instead, see [`with_token`](Self::with_token).
/// - `settings=PATH`: further settings of librdkafka, a line `name=value` each, such as `compression.type=gzip`. Those on
///   which the promises of this crate rest are refused, and those that this crate sets itself.
///
/// Shown without its secrets, whatever shows it.
#[derive(Clone)]
#[non_exhaustive]
pub struct KafkaOptions {
    place: Arc<str>,
    config: ClientConfig,
    pub(crate) token: Option<TokenSource>,
}

/// Where fresh tokens come from.
pub(crate) type TokenSource = Arc<dyn Fn() -> Result<Token, String> + Send + Sync>;

/// A token for OAUTHBEARER.
#[derive(Clone)]
pub struct Token {
    /// The token itself.
    pub token: String,
    /// Who it is for, as the broker will know him.
    pub principal: String,
    /// Until when it counts, in milliseconds since 1970; a fresh one is asked for when four fifths of its life are
    /// over.
    pub until_ms: i64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// What is spoken, and by whom.
#[derive(Default)]
struct Asked {
    security: Option<&'static str>,
    mechanism: Option<&'static str>,
    password: Option<String>,
    token_file: Option<String>,
    ca: Option<String>,
}

const SECURITIES: [&str; 4] = ["ssl", "sasl_ssl", "sasl_plaintext", "plaintext"];
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

/// An unknown option is quoted up to this many characters.
const QUOTED_CHARS_MAX: usize = 64;

impl FromStr for KafkaOptions {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let Some(rest) = url.strip_prefix("kafka://") else {
            return Err(UrlError::shape("it does not begin with kafka://"));
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if query.contains('@') {
            return Err(UrlError::signs("there is an @ behind the question mark"));
        }
        let (user, brokers) = match place.rsplit_once('@') {
            Some((user, brokers)) => (Some(user), brokers.trim_end_matches('/')),
            None => (None, place.trim_end_matches('/')),
        };
        let local = check_brokers(brokers)?;
        let (mut asked, mut settings) = (Asked::default(), vec![]);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = decoded(value)?;
            match name {
                "security" => asked.security = Some(one_of(name, &value, &SECURITIES)?),
                "mechanism" => asked.mechanism = Some(one_of(name, &value, &MECHANISMS)?),
                "password-file" => asked.password = Some(first_line("password", &value)?),
                "token-file" => {
                    first_line("token", &value)?;
                    asked.token_file = Some(value);
                }
                "ca" => asked.ca = Some(value),
                "settings" => settings = settings::read(&value)?,
                // The value is left out: a misspelt password is one too.
                _ => {
                    let name: String = name.chars().take(QUOTED_CHARS_MAX).collect();
                    return Err(UrlError::option(format!("there is no option {name:?}")));
                }
            }
        }
        Self::of(brokers, local, user, asked, settings)
    }
}

impl KafkaOptions {
    /// With tokens for OAUTHBEARER from `source`, which is asked whenever a fresh one is wanted. What a publisher sends
    /// waits meanwhile; nothing else does.
    #[must_use]
    pub fn with_token(mut self, source: impl Fn() -> Result<Token, String> + Send + Sync + 'static) -> Self {
        self.token = Some(Arc::new(source));
        self
    }

    /// Settings for a client of librdkafka.
    pub(crate) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Whether a token says who this is, and no password.
    pub(crate) fn by_token(&self) -> bool {
        self.config.get("sasl.mechanism") == Some("OAUTHBEARER")
    }

    pub(crate) fn place(&self) -> &Arc<str> {
        &self.place
    }

    fn of(
        brokers: &str,
        local: bool,
        user: Option<&str>,
        asked: Asked,
        settings: Vec<(String, String)>,
    ) -> Result<Self, UrlError> {
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (String::new(), String::new()),
        };
        let bearer = asked.mechanism == Some("OAUTHBEARER") || asked.token_file.is_some();
        let security = asked.security.unwrap_or(match (user.is_empty() && !bearer, local) {
            (true, true) => "plaintext",
            (true, false) => "ssl",
            (false, _) => "sasl_ssl",
        });
        let mut config = ClientConfig::new();
        // Why a broker hung up is told there. What is not wanted of it, `tracing` leaves out.
        config.set_log_level(RDKafkaLogLevel::Info);
        config.extend(settings);
        config.set("bootstrap.servers", brokers).set("security.protocol", security);
        // A topic that somebody deleted is missed; a broker may be set to make it anew, without what was in it.
        config.set("allow.auto.create.topics", "false");
        if let Some(ca) = asked.ca {
            fs::metadata(&ca).map_err(|error| UrlError::file(format!("ca {ca} cannot be read: {error}")))?;
            config.set("ssl.ca.location", ca);
        }
        if security.starts_with("sasl") {
            let mechanism = if bearer { "OAUTHBEARER" } else { asked.mechanism.unwrap_or("PLAIN") };
            config.set("sasl.mechanism", mechanism);
            if !bearer {
                let password = asked.password.unwrap_or(password);
                if user.is_empty() || password.is_empty() {
                    return Err(UrlError::shape(format!(
                        "{security} with {mechanism} wants a user and a password"
                    )));
                }
                config.set("sasl.username", &user).set("sasl.password", password);
            }
        } else if !user.is_empty() {
            return Err(UrlError::shape(format!("there is a user, and security={security} takes none")));
        }
        let place =
            if user.is_empty() { format!("kafka://{brokers}") } else { format!("kafka://{user}@{brokers}") };
        let token = asked.token_file.map(|path| Arc::new(move || settings::token(&path)) as TokenSource);
        Ok(Self { place: place.into(), config, token })
    }
}

/// Checks `HOST:PORT,HOST:PORT`; whether all of them are this machine.
fn check_brokers(brokers: &str) -> Result<bool, UrlError> {
    let mut local = true;
    for broker in brokers.split(',') {
        let (host, port) = broker.rsplit_once(':').unwrap_or((broker, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return Err(UrlError::shape("a broker has no name, or signs that no host has"));
        }
        if port.parse::<u16>().is_err() {
            return Err(UrlError::shape(format!("broker {host} has no port up to 65535")));
        }
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        local &= host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    }
    Ok(local)
}

fn decoded(text: &str) -> Result<String, UrlError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(UrlError::signs("a part of it is no UTF-8, or holds a NUL")),
    }
}

fn one_of(name: &str, value: &str, known: &[&'static str]) -> Result<&'static str, UrlError> {
    let found = known.iter().find(|known| **known == value);
    found.copied().ok_or_else(|| UrlError::option(format!("{name} is one of {}", known.join(", "))))
}

pub(crate) fn first_line(what: &str, path: &str) -> Result<String, UrlError> {
    let text = fs::read_to_string(path)
        .map_err(|error| UrlError::file(format!("the {what} file {path} cannot be read: {error}")))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.into()),
        None => Err(UrlError::file(format!("the {what} file {path} begins with an empty line"))),
    }
}

impl fmt::Display for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
