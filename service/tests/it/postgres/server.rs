//! The server that the tests were given.

use std::{
    io::{self, Write},
    time::SystemTime,
};

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
        // Not by a macro: what those print is held back where a test passes.
        let test = std::thread::current().name().unwrap_or_default().to_string();
        let skipped =
            format!("SKIPPED: {test}: {URL} is not set; run cargo xtask test, or cargo xtask up first\n");
        io::stderr().write_all(skipped.as_bytes()).unwrap();
        None
    }

    /// The URL of a schema that nobody has used.
    pub(crate) fn schema(&self, what: &str) -> String {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        format!("{}?schema=nw_{what}_{}_{now}", self.url, std::process::id())
    }
}
