//! Where a database lies and how it is used, as a URL says it.

use crate::Schema;
use sqlx::postgres::PgConnectOptions;
use std::{fmt, fs, str::FromStr};

/// Where a database lies, and how it is used.
///
/// Read from `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS`. Options of ours:
///
/// - `schema=NAME`: see [`Schema`]; `annals` if nothing is said.
/// - `password-file=PATH`: the password is the first line of this file. Without a password in the URL or a file, the
///   environment (`PGPASSWORD`) and `~/.pgpass` are asked, as every program for PostgreSQL does.
/// - `pooler=transaction`: a pooler such as pgbouncer in transaction mode stands in between. Nothing is prepared, every
///   statement gets a transaction, other processes' commits are seen by asking once a second.
/// - `unsafe-durability`: opens also where `fsync` or `synchronous_commit` is off: **a crash loses acknowledged events**.
///
/// Options of PostgreSQL: `sslmode` (`verify-full` asks the server for a certificate that fits its name), `sslrootcert`,
/// `sslcert`, `sslkey`, `application_name`, `host`, `port`, `user`, `password`, `dbname`.
///
/// Shown without its password, whatever shows it.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Which schema.
    pub schema: Schema,
    /// Whether a pooler stands in between.
    pub pooler: Pooler,
    /// Open also where acknowledged events can be lost.
    pub unsafe_durability: bool,
    pub(crate) connect: PgConnectOptions,
}

/// What stands between this program and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooler {
    /// Nothing, or what keeps one connection for one session.
    #[default]
    None,
    /// A pooler that may give each transaction another connection.
    Transaction,
}

/// Why a text is no URL of a PostgreSQL database. Quotes nothing that may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no PostgreSQL database is named: {reason}; expected postgres://USER@HOST:PORT/DATABASE?schema=NAME")]
pub struct UrlError {
    reason: String,
}

/// Options that are handed on to the driver.
const OF_POSTGRES: [&str; 10] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "host",
    "port",
    "user",
    "password",
    "dbname",
];

impl FromStr for PostgresOptions {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let refused = |reason: String| UrlError { reason };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refused("it does not begin with postgres://".into()));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        if query.contains('@') {
            return Err(refused("a question mark in a password is written %3F".into()));
        }
        let (mut schema, mut pooler, mut unsafe_durability) = (Schema::default(), Pooler::None, false);
        let (mut password_file, mut others) = (None, vec![]);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match (name, value) {
                ("schema", name) => schema = name.parse().map_err(|error| refused(format!("{error}")))?,
                ("pooler", "transaction") => pooler = Pooler::Transaction,
                ("pooler", _) => return Err(refused("pooler can only be transaction".into())),
                ("unsafe-durability", "" | "true") => unsafe_durability = true,
                ("password-file", path) => password_file = Some(path),
                (name, _) if OF_POSTGRES.contains(&name) => others.push(option),
                // The value is left out: a misspelt password is one too.
                (name, _) => return Err(refused(format!("there is no option {:?}", shown(name)))),
            }
        }
        // The driver's own errors quote what they could not read, which may be the password.
        let mut connect: PgConnectOptions = format!("{place}?{}", others.join("&"))
            .parse()
            .map_err(|_| refused("host, port, user, database or an option cannot be read".into()))?;
        if let Some(path) = password_file {
            connect = connect.password(&first_line(path).map_err(refused)?);
        }
        if connect.get_application_name().is_none() {
            connect = connect.application_name(&format!("annals {schema}"));
        }
        Ok(Self { schema, pooler, unsafe_durability, connect })
    }
}

impl PostgresOptions {
    /// Whether statements stay prepared: not where each may meet another connection.
    pub(crate) fn prepares(&self) -> bool {
        self.pooler == Pooler::None
    }
}

fn first_line(path: &str) -> Result<String, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the password file {path} cannot be read: {error}"))?;
    Ok(text.lines().next().unwrap_or_default().into())
}

fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, host, port) =
            (self.connect.get_username(), self.connect.get_host(), self.connect.get_port());
        let database = self.connect.get_database().unwrap_or(user);
        write!(f, "postgres://{user}@{host}:{port}/{database}?schema={}", self.schema)
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresOptions, UrlError> {
        url.parse()
    }

    #[test]
    fn a_url_names_server_database_and_schema() {
        let options =
            parse("postgres://shop@db:6432/orders?schema=eu&unsafe-durability&pooler=transaction").unwrap();
        assert_eq!(options.to_string(), "postgres://shop@db:6432/orders?schema=eu");
        assert!(options.unsafe_durability);
        assert_eq!(options.pooler, Pooler::Transaction);
        let plain = parse("postgresql://shop@db/orders").unwrap();
        assert_eq!((plain.schema.as_str(), plain.unsafe_durability), ("annals", false));
    }

    #[test]
    fn what_names_no_database_is_refused_and_says_why() {
        for (url, reason) in [
            ("sqlite:shop.db", "does not begin with postgres://"),
            ("postgres://db/shop?schema=a\"b", "names no schema"),
            ("postgres://db/shop?pooler=session", "can only be transaction"),
            ("postgres://db/shop?fsync=off", "no option \"fsync\""),
            ("postgres://db:port/shop", "cannot be read"),
            ("postgres://db/shop?password-file=/nonexistent/p", "/nonexistent/p cannot be read"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let options = parse("postgres://shop:hunter2@db/orders?password=hunter2").unwrap();
        assert!(!format!("{options} {options:?}").contains("hunter2"));
        for url in [
            "postgres://shop:hunter2@db:port/x",
            "postgres://db/x?passwrd=hunter2",
            "hunter2",
            "postgres://a:b?hunter2@db/x",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
