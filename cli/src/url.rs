//! Where stores lie, as the command line says it.

use std::{convert::Infallible, fmt, str::FromStr};

/// The URL of a store. Shown without its secrets, whatever shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

/// Stands in place of a secret.
const HIDDEN: &str = "***";

/// Parameters of URLs whose values are secrets, as far as their names tell.
const SECRET_WORDS: [&str; 6] = ["password", "passwd", "pwd", "secret", "key", "token"];

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

fn without_secrets(url: &str) -> String {
    let (place, parameters) = url.split_once('?').map_or((url, None), |(place, rest)| (place, Some(rest)));
    let mut shown = without_password(place);
    if let Some(parameters) = parameters {
        let parameters: Vec<String> = parameters.split('&').map(without_value).collect();
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    shown
}

/// `scheme://user:password@host`: the password may hold any of the other signs, so the last `@` ends it.
fn without_password(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("//") else { return place.into() };
    let Some((user, host)) = rest.rsplit_once('@') else { return place.into() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}//{name}:{HIDDEN}@{host}"),
        None => place.into(),
    }
}

fn without_value(parameter: &str) -> String {
    // What follows a `?` inside a password, up to the host, is part of it.
    let parameter = match parameter.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => parameter.into(),
    };
    let Some((name, _)) = parameter.split_once('=') else { return parameter };
    let lower = name.to_ascii_lowercase();
    if SECRET_WORDS.iter().any(|word| lower.contains(word)) {
        return format!("{name}={HIDDEN}");
    }
    parameter
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
            ("cosmos://acc?AccountKey=hunter2==&x=1", "cosmos://acc?AccountKey=***&x=1"),
            ("sqlite:northwind.db?synchronous=normal", "sqlite:northwind.db?synchronous=normal"),
            ("sqlite:/srv/a@b/x.db", "sqlite:/srv/a@b/x.db"),
            ("postgres://shop@db/shop", "postgres://shop@db/shop"),
        ] {
            let url = StoreUrl::from(given.to_string());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
        }
        assert!(
            !StoreUrl::from("postgres://shop:a?b=hunter2@db".to_string()).to_string().contains("hunter2")
        );
    }
}
