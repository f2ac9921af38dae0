//! Where stores lie, as the command line says it.

use std::{convert::Infallible, fmt, str::FromStr};

/// The URL of a store, or of a cluster of Kafka. Shown without its secrets, whatever shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

/// Parameters of PostgreSQL URLs whose values are no secrets; of any other, misspelt ones too, the value is hidden.
const SHOWN_OF_POSTGRES: [&str; 13] = [
    "schema",
    "pooler",
    "unsafe-durability",
    "password-file",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "host",
    "port",
    "user",
    "dbname",
];

/// The same of Kafka URLs.
const SHOWN_OF_KAFKA: [&str; 6] = ["security", "mechanism", "password-file", "token-file", "ca", "settings"];

/// Stands in place of a secret.
const HIDDEN: &str = "***";

/// Parameters of URLs whose values are secrets, as far as their names tell.
const SECRET_WORDS: [&str; 8] = ["pass", "pwd", "secret", "key", "token", "sig", "auth", "credential"];

impl StoreUrl {
    /// What stands before the first colon; all of it where there is none.
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The URL as it was given, secrets included: for drivers, not for messages.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl From<String> for StoreUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&without_secrets(&self.0))
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_secrets(&self.0))
    }
}

/// The schemes whose secrets stand where they are looked for. Of any other URL nothing but the scheme is shown.
const SCHEMES_SHOWN: [&str; 5] = ["sqlite", "memory", "postgres", "postgresql", "kafka"];

/// What begins a parameter: `?` and `&` in URLs, `;` in connection strings.
const SEPARATORS: [char; 3] = ['?', '&', ';'];

/// `text` without its secrets, if it looks like a URL or a connection string: for what echoes arguments.
pub(crate) fn masked(text: &str) -> Option<String> {
    let secret = |part: &str| without_value(part) != part;
    let names_a_user = text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    (text.contains("://") || names_a_user || text.split(SEPARATORS).any(secret))
        .then(|| without_secrets(text))
}

fn without_secrets(url: &str) -> String {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+.-_/\\".contains(c));
    let Some((scheme, rest)) = url.split_once(':') else {
        // Most likely a file whose scheme was forgotten.
        return if plain(url) { url.into() } else { HIDDEN.into() };
    };
    if !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c)) {
        return HIDDEN.into();
    }
    let is_file = scheme == "sqlite" || scheme == "memory";
    // `postgres:password=x host=y` is another way to write it, which is not taken apart here.
    let taken_apart = is_file || (rest.starts_with("//") && !rest.contains(char::is_whitespace));
    if !SCHEMES_SHOWN.contains(&scheme) || !taken_apart {
        return format!("{scheme}:{HIDDEN}");
    }
    let url = without_password(url);
    let mut parts = url.split_inclusive(SEPARATORS);
    if is_file {
        return parts.map(without_value).collect();
    }
    let place = parts.next().unwrap_or_default();
    let known: &[&str] = if scheme == "kafka" { &SHOWN_OF_KAFKA } else { &SHOWN_OF_POSTGRES };
    std::iter::once(without_value(place)).chain(parts.map(|part| parameter(part, known))).collect()
}

/// A parameter of a URL, whose value is no secret if its name is `known`.
fn parameter(part: &str, known: &[&str]) -> String {
    match part.split_once('=') {
        Some((name, value)) if !known.contains(&name) => format!("{name}={}", hidden(value)),
        _ => part.into(),
    }
}

/// In place of `value`, which may have a separator behind it.
fn hidden(value: &str) -> String {
    let end = value.strip_suffix(SEPARATORS).map_or("", |kept| &value[kept.len()..]);
    format!("{HIDDEN}{end}")
}

/// `scheme://user:password@host`: the password may hold any of the other signs, so the last `@` ends it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("//") else { return url.into() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.into() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}//{name}:{HIDDEN}@{host}"),
        None => url.into(),
    }
}

/// A part of a URL up to and with the separator behind it.
fn without_value(part: &str) -> String {
    let Some((name, value)) = part.split_once('=') else { return part.into() };
    // In the first part the path stands before the name.
    let lower = name.rsplit(['/', ':']).next().unwrap_or(name).to_ascii_lowercase();
    if !SECRET_WORDS.iter().any(|word| lower.contains(word)) {
        return part.into();
    }
    format!("{name}={}", hidden(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        for (given, shown) in [
            ("postgres://shop:hunter2@db:5432/shop", "postgres://shop:***@db:5432/shop"),
            ("postgres://shop:p@ss:w/rd@db/shop", "postgres://shop:***@db/shop"),
            ("postgres://db/shop?user=a&password=hunter2", "postgres://db/shop?user=a&password=***"),
            ("postgres://db/shop;Password=hunter2;Host=db", "postgres://db/shop;Password=***;Host=***"),
            ("postgres://shop:a;b?c=hunter2@db", "postgres://shop:***@db"),
            ("postgresql:password=hunter2 host=db", "postgresql:***"),
            ("postgres://db/shop password=hunter2", "postgres:***"),
            ("cosmos://acc?AccountKey=hunter2==&x=1", "cosmos:***"),
            ("mysql://hunter2@db", "mysql:***"),
            ("AccountEndpoint=https://db/;AccountKey=hunter2==", "***"),
            ("Server=db;Password=hunter2", "***"),
            ("northwind.db", "northwind.db"),
            ("memory:", "memory:"),
            ("sqlite:a.db?key=hunter2", "sqlite:a.db?key=***"),
            ("sqlite:Password=hunter2;x", "sqlite:Password=***;x"),
            ("sqlite:/srv/keys/a=b.db", "sqlite:/srv/keys/a=b.db"),
            ("kafka://127.0.0.1:9092", "kafka://127.0.0.1:9092"),
            ("kafka://shop:hunter2@a:9092,b:9092?ca=/ca.pem", "kafka://shop:***@a:9092,b:9092?ca=/ca.pem"),
            (
                "kafka://a:9092?password=hunter2&mechanism=PLAIN",
                "kafka://a:9092?password=***&mechanism=PLAIN",
            ),
            (
                "kafka://$ConnectionString:Endpoint=sb://x/;SharedAccessKey=hunter2=@x.net:9093",
                "kafka://$ConnectionString:***@x.net:9093",
            ),
            (
                "kafka://Endpoint=sb://x/;SharedAccessKey=hunter2=",
                "kafka://Endpoint=sb://x/;SharedAccessKey=***",
            ),
            ("kafka:shop:hunter2@a:9092", "kafka:***"),
            ("sqlite:northwind.db?synchronous=normal", "sqlite:northwind.db?synchronous=normal"),
            ("sqlite:/srv/a@b/x.db", "sqlite:/srv/a@b/x.db"),
            ("postgres://shop@db/shop", "postgres://shop@db/shop"),
            ("postgres://db/shop?pasword=hunter2&port=1", "postgres://db/shop?pasword=***&port=1"),
            ("postgres://db/shop?Schema=hunter2", "postgres://db/shop?Schema=***"),
            (
                "postgres://db/shop?password-file=/run/p&sslkey=/run/k",
                "postgres://db/shop?password-file=/run/p&sslkey=/run/k",
            ),
        ] {
            let url = StoreUrl::from(given.to_string());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
        }
    }

    #[test]
    fn of_what_is_echoed_only_urls_are_masked() {
        for (given, shown) in [
            ("mysql://shop:hunter2@db", Some("mysql:***")),
            ("cosmos:AccountKey=hunter2", Some("cosmos:***")),
            ("postgres:/shop:hunter2@db", Some("postgres:***")),
            ("shop:hunter2@db", Some("shop:***")),
            ("2026-01-31T12:00:00Z", None),
            ("order-B1-0000001", None),
            ("100000", None),
        ] {
            assert_eq!(masked(given).as_deref(), shown);
        }
    }
}
