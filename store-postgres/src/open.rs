//! Opening: the server is fit for what the store promises, or it is refused.

use crate::{
    PostgresOptions, ServerError,
    migrate::{Layout, is_there, migrate},
    server::Server,
    session::Session,
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Error, Row, postgres::PgRow};

/// The oldest PostgreSQL that is used.
pub const SERVER_VERSION_MIN: u32 = 15;

/// How far the server's clock may be from ours.
pub const CLOCKS_APART_MAX: TimeDelta = TimeDelta::minutes(5);

/// Reads them; no parameters.
pub(crate) const SETTINGS: &str = include_str!("open/settings.sql");

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    /// A standby will do. What would write to it is refused by the server.
    Look,
}

/// A database that was found fit.
pub(crate) struct Opened {
    pub(crate) session: Session,
    pub(crate) is_standby: bool,
}

/// Connects, looks at the settings, and brings the tables of `layout` up to date.
pub(crate) async fn open(server: &Server, layout: &Layout, purpose: Purpose) -> Result<Opened, ServerError> {
    let failed = |source| ServerError::of(&server.place, "connecting", source);
    let mut session = server.connect_first().await?;
    let asked_at = Utc::now();
    let rows = session.rows(sqlx::query(SETTINGS).persistent(false));
    let rows = rows.await.map_err(failed)?;
    let settings = Settings::of(&rows[0]).map_err(failed)?;
    settings.check(server, purpose, asked_at, Utc::now())?;
    migrate(&mut session, server, layout).await?;
    Ok(Opened { session, is_standby: settings.is_standby })
}

/// Whether tables of `layout` were made where `options` say; makes none.
pub(crate) async fn exists(options: &PostgresOptions, layout: &Layout) -> Result<bool, ServerError> {
    let server = Server::of(options);
    let failed = |source| ServerError::of(&server.place, "looking what it holds", source);
    let mut session = server.connect_first().await?;
    is_there(&mut session, &server, layout).await.map_err(failed)
}

/// What promises rest on.
pub(crate) struct Settings {
    version_number: i32,
    pub(crate) version: String,
    encoding: String,
    pub(crate) is_standby: bool,
    pub(crate) fsync: String,
    pub(crate) synchronous_commit: String,
    pub(crate) full_page_writes: String,
    clock: DateTime<Utc>,
    pub(crate) isolation: String,
    pub(crate) tls: Option<String>,
    pub(crate) statement_timeout: String,
    pub(crate) lock_timeout: String,
    pub(crate) idle_in_transaction_session_timeout: String,
}

impl Settings {
    pub(crate) fn of(row: &PgRow) -> Result<Self, Error> {
        Ok(Self {
            version_number: row.try_get(0)?,
            version: row.try_get(1)?,
            encoding: row.try_get(2)?,
            is_standby: row.try_get(3)?,
            fsync: row.try_get(4)?,
            synchronous_commit: row.try_get(5)?,
            full_page_writes: row.try_get(6)?,
            clock: row.try_get(7)?,
            isolation: row.try_get(8)?,
            tls: row.try_get(9)?,
            statement_timeout: row.try_get(10)?,
            lock_timeout: row.try_get(11)?,
            idle_in_transaction_session_timeout: row.try_get(12)?,
        })
    }

    fn check(
        &self,
        server: &Server,
        purpose: Purpose,
        asked_at: DateTime<Utc>,
        answered_at: DateTime<Utc>,
    ) -> Result<(), ServerError> {
        let place = || server.place.clone();
        if self.version_number / 10_000 < SERVER_VERSION_MIN as i32 {
            let (found, needed) = (self.version.clone(), SERVER_VERSION_MIN);
            return Err(ServerError::TooOld { place: place(), found, needed });
        }
        if self.is_standby && purpose == Purpose::Write {
            return Err(ServerError::Standby { place: place() });
        }
        let setting = |setting, wanted, got: &str, next_step| {
            Err(ServerError::Setting { place: place(), setting, wanted, got: got.into(), next_step })
        };
        if self.encoding != "UTF8" {
            let next_step = "make a database with encoding UTF8, or names would be refused that others take";
            return setting("server_encoding", "UTF8", &self.encoding, next_step);
        }
        let durable =
            "turn it on, or say unsafe-durability in the URL: then a crash can lose acknowledged events";
        for (name, got) in [
            ("fsync", &self.fsync),
            ("synchronous_commit", &self.synchronous_commit),
            ("full_page_writes", &self.full_page_writes),
        ] {
            if got == "off" && !server.options.unsafe_durability {
                return setting(name, "on", got, durable);
            }
        }
        // Somewhere between the question and the answer, so the nearer end is compared.
        let ahead = (self.clock - answered_at).max(TimeDelta::zero());
        let behind = (self.clock - asked_at).min(TimeDelta::zero());
        let apart = ahead + behind;
        if apart.abs() > CLOCKS_APART_MAX {
            return Err(ServerError::Clock { place: place(), apart });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Settings {
        let on = || String::from("on");
        Settings {
            version_number: 150_018,
            version: "15.18".into(),
            encoding: "UTF8".into(),
            is_standby: false,
            fsync: on(),
            synchronous_commit: on(),
            full_page_writes: on(),
            clock: Utc::now(),
            isolation: "read committed".into(),
            tls: None,
            statement_timeout: "1min".into(),
            lock_timeout: "10s".into(),
            idle_in_transaction_session_timeout: "10s".into(),
        }
    }

    fn refusal(settings: &Settings, url: &str) -> Option<String> {
        let server = Server::of(&url.parse().unwrap());
        let now = Utc::now();
        settings.check(&server, Purpose::Write, now, now).err().map(|error| error.to_string())
    }

    #[test]
    fn what_would_break_a_promise_is_refused_with_a_next_step() {
        const URL: &str = "postgres://shop@db/orders";
        assert_eq!(refusal(&fit(), URL), None);
        let off = || String::from("off");
        for (settings, says) in [
            (
                Settings { version_number: 140_009, version: "14.9".into(), ..fit() },
                "PostgreSQL 14.9, at least 15",
            ),
            (Settings { is_standby: true, ..fit() }, "name the primary"),
            (Settings { encoding: "LATIN1".into(), ..fit() }, "server_encoding LATIN1, not UTF8"),
            (Settings { fsync: off(), ..fit() }, "fsync off, not on"),
            (Settings { synchronous_commit: off(), ..fit() }, "unsafe-durability"),
            (Settings { full_page_writes: off(), ..fit() }, "full_page_writes off"),
            (Settings { clock: Utc::now() + TimeDelta::seconds(400), ..fit() }, "a clock that is"),
            (Settings { clock: Utc::now() - TimeDelta::seconds(400), ..fit() }, "time server"),
        ] {
            let told = refusal(&settings, URL).unwrap();
            assert!(told.contains(says) && told.starts_with("postgres://shop@db"), "{told}");
        }
    }

    #[test]
    fn whoever_says_so_gets_unsafe_durability_and_nothing_else() {
        const URL: &str = "postgres://shop@db/orders?unsafe-durability";
        let off = || String::from("off");
        let unsafe_one =
            Settings { fsync: off(), synchronous_commit: off(), full_page_writes: off(), ..fit() };
        assert_eq!(refusal(&unsafe_one, URL), None);
        assert!(refusal(&Settings { is_standby: true, ..fit() }, URL).is_some());
    }
}
