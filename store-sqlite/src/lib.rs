//! SQLite for annals: the embedded default store.

mod log;
mod views;
