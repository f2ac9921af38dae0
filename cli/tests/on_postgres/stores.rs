//! What the tests of commands run on: schemas of their own on the server that was given.

use crate::counters::{Totals, service};
use annals_cli::{Access, Global, Stores};
use annals_services::{not_run, this_test};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// Names the server; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_POSTGRES_URL";

/// As `check` calls them.
pub(crate) fn kind() -> &'static str {
    if std::env::var_os(URL).is_some() { "postgres" } else { "memory" }
}

/// The URL of a schema that nobody has used; none where there is no server, which is said out loud.
pub(crate) fn url() -> Option<String> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let Ok(server) = std::env::var(URL) else {
        not_run(&this_test(), format!("{URL} is not set; run cargo xtask test, or cargo xtask up"));
        return None;
    };
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    Some(format!("{server}?schema=cli_{process}_{now}_{number}"))
}

/// New ones, with nothing in them.
pub(crate) async fn fresh() -> Stores {
    match url() {
        Some(url) => at(&url).await,
        None => Stores::memory(),
    }
}

/// Those in a schema.
pub(crate) async fn at(url: &str) -> Stores {
    let global = Global { store: Some(url.to_string().into()), ..Global::default() };
    Stores::open(&service(Totals::default()), &global, Access::Create).await.unwrap()
}
