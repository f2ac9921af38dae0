//! Where a database lies and how it is used, as a URL says it.

mod error;
mod tls;

pub use error::UrlError;

use crate::Schema;
use sqlx::postgres::PgConnectOptions;
use std::{borrow::Cow, fmt, fs, str::FromStr};

/// Where a database lies, and how it is used.
///
/// Read from `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS`. Options of ours:
///
/// - `schema=NAME`: see [`Schema`]; `annals` if nothing is said.
/// - `password-file=PATH`: the password is the first line of this file. Without a password in the URL or a file, the
///   environment (`PGPASSWORD`, `PGPASSFILE`) and `~/.pgpass` are asked, as every program for PostgreSQL does.
/// - `pooler=transaction`: a pooler such as pgbouncer stands in between, in transaction mode or any other. Nothing is prepared, every
///   statement gets a transaction, other processes' commits are seen by asking once a second.
/// - `unsafe-durability`: opens also where `fsync` or `synchronous_commit` is off: **a crash loses acknowledged events**.
///
/// Options of PostgreSQL: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `application_name`, `host`, `port`, `user`,
/// `password`, `dbname`.
///
/// **TLS.** A server elsewhere is spoken to with TLS only, and its certificate must be for the name of its host, signed
/// by somebody whom this machine or `sslrootcert=PATH` trusts: that is `sslmode=verify-full`, which need not be said.
/// `verify-ca` does not look at the name, `require` takes any certificate, and `disable` sends everything, passwords
/// too, so that everybody on the way can read it. `prefer` and `allow` are refused, because whoever stands on the way
/// could have them talk in the clear. A server of this machine (a socket, `localhost`, a loopback address) is
/// spoken to with TLS if it offers it, unless `sslmode` says more. `PGSSLMODE` counts where it asks for more than that.
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
    /// Nothing. A pooler that stands there all the same is found out when it is connected to, and refused.
    #[default]
    None,
    /// A pooler that may give each transaction another connection. One that does not may be called so too.
    Transaction,
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

/// Those whose values are files.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// An unknown option is quoted up to this many characters.
const QUOTED_CHARS_MAX: usize = 64;

impl FromStr for PostgresOptions {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(UrlError::shape("it does not begin with postgres://"));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        if query.contains('@') {
            return Err(UrlError::signs("there is an @ behind the question mark"));
        }
        let (mut schema, mut pooler, mut unsafe_durability) = (Schema::default(), Pooler::None, false);
        let (mut password_file, mut of_postgres, mut asked) = (None, vec![], tls::Asked::default());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = decoded(value);
            match (name, &*value) {
                ("schema", name) => {
                    schema = name.parse().map_err(|error| UrlError::shape(format!("{error}")))?;
                }
                ("pooler", "transaction") => pooler = Pooler::Transaction,
                ("pooler", _) => return Err(UrlError::shape("pooler can only be transaction")),
                ("unsafe-durability", "" | "true") => unsafe_durability = true,
                ("password-file", path) => password_file = Some(first_line(path)?),
                ("port", number) if number.parse::<u16>().is_err() => {
                    return Err(UrlError::shape("the port is no number up to 65535"));
                }
                (name, value) if OF_POSTGRES.contains(&name) => {
                    if FILES.contains(&name) {
                        readable(name, value)?;
                    }
                    asked.hear(name, value)?;
                    of_postgres.push(option);
                }
                // The value is left out: a misspelt password is one too.
                (name, _) => {
                    let name: String = name.chars().take(QUOTED_CHARS_MAX).collect();
                    return Err(UrlError::option(format!("there is no option {name:?}")));
                }
            }
        }
        // The driver's own errors quote what they could not read, which may be the password.
        let mut connect: PgConnectOptions = format!("{place}?{}", of_postgres.join("&"))
            .parse()
            .map_err(|_| UrlError::signs("user, password, host, port or database cannot be read"))?;
        if let Some(password) = password_file {
            connect = connect.password(&password);
        }
        if connect.get_application_name().is_none() {
            connect = connect.application_name(&format!("annals {schema}"));
        }
        let connect = asked.settle(connect)?;
        Ok(Self { schema, pooler, unsafe_durability, connect })
    }
}

impl PostgresOptions {
    /// Whether statements stay prepared: not where each may meet another connection.
    pub(crate) fn prepares(&self) -> bool {
        self.pooler == Pooler::None
    }
}

/// A value as the driver takes it too.
fn decoded(value: &str) -> Cow<'_, str> {
    let spaced = value.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into()
}

fn first_line(path: &str) -> Result<String, UrlError> {
    let text = fs::read_to_string(path)
        .map_err(|error| UrlError::file(format!("the password file {path} cannot be read: {error}")))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(password) => Ok(password.into()),
        None => Err(UrlError::file(format!("the password file {path} begins with an empty line"))),
    }
}

/// What PEM begins with.
const PEM: &[u8] = b"-----BEGIN ";

fn readable(name: &str, path: &str) -> Result<(), UrlError> {
    let read = fs::read(path);
    let text = read.map_err(|error| UrlError::file(format!("{name} {path} cannot be read: {error}")))?;
    match text.windows(PEM.len()).any(|part| part == PEM) {
        true => Ok(()),
        false => Err(UrlError::file(format!("{name} {path} holds no PEM"))),
    }
}

impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.connect.get_username();
        let database = self.connect.get_database().unwrap_or(user);
        let schema = &self.schema;
        let (host, port) = (self.connect.get_host(), self.connect.get_port());
        let socket = self.connect.get_socket().map_or(host.into(), |path| path.to_string_lossy());
        match socket.starts_with('/') {
            true => write!(f, "postgres:///{database}?host={socket}&port={port}&user={user}&schema={schema}"),
            false => write!(f, "postgres://{user}@{host}:{port}/{database}?schema={schema}"),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
