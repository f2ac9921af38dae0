//! What the tests of commands run on: stores in memory.

use annals_cli::Stores;

/// As `check` calls them.
pub(crate) fn kind() -> &'static str {
    "memory"
}

/// New ones, with nothing in them.
pub(crate) async fn fresh() -> Stores {
    Stores::memory()
}
