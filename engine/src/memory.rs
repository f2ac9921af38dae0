//! Stores in memory: for tests, for demonstrations, and as the model for whoever writes a store.
//!
//! They keep every promise that memory can keep; what they hold is gone with the process. [`MemoryStore`] is an
//! event store, [`MemoryDocuments`] one of documents and checkpoints. Each is one structure under one lock, in which
//! an operation first checks everything and then changes something.

mod checkpoints;
mod compare;
mod documents;
mod generation;
mod log;
mod store;

pub use documents::MemoryDocuments;
pub use store::MemoryStore;
