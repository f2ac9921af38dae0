//! What the tests of `publish` run on.

use annals_cli::Stores;

/// New ones, with nothing in them.
pub(crate) async fn fresh() -> Stores {
    Stores::memory()
}
