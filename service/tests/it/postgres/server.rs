//! The server that the tests were given.

use annals_services::{not_run, this_test};
use std::time::SystemTime;

/// Names the server; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_POSTGRES_URL";

/// A server, on which each test has schemas of its own.
pub(crate) struct Server {
    pub(crate) url: String,
}

impl Server {
    /// The one that was given; `None` where there is none, which is said out loud.
    pub(crate) fn given() -> Option<Self> {
        if let Ok(url) = std::env::var(URL) {
            return Some(Self { url });
        }
        not_run(&this_test(), format!("{URL} is not set; run cargo xtask test, or cargo xtask up"));
        None
    }

    /// The URL of a schema that nobody has used.
    pub(crate) fn schema(&self, what: &str) -> String {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        format!("{}?schema=nw_{what}_{}_{now}", self.url, std::process::id())
    }
}
