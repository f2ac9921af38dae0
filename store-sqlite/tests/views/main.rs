//! Documents, checkpoints and leases in a file: what is SQLite's own, and what several instances do to each other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod comparing;
mod contract;
mod leases;
mod opening;
mod pages;
mod sharing;

use annals::{
    Change, Checkpoints, DocumentStore, Json, Lease, LeaseTerms, PageLimit, PageWrite, Position, Step,
    SubscriberId,
};
use annals_sqlite::SqliteDocuments;
use rusqlite::Connection;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

/// A file in a directory of its own, gone with it.
struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("shop-views.db")
    }

    fn open(&self) -> SqliteDocuments {
        SqliteDocuments::open(self.path()).unwrap()
    }

    /// Past the store, as another program would come.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn terms(holder: &str, lasts: Duration) -> LeaseTerms {
    LeaseTerms { holder: holder.into(), lasts }
}

/// The live generation of `name`, and its lease for an hour.
async fn held(store: &SqliteDocuments, name: &str) -> Lease {
    let subscriber = store.open(name, 1).await.unwrap();
    store.acquire(&subscriber, &terms("us", HOUR)).await.unwrap()
}

fn step(lease: &Lease, from: u64, to: u64) -> Step {
    let (subscriber, epoch) = (lease.subscriber.clone(), lease.epoch);
    Step { subscriber, epoch, from: Position::new(from), to: Position::new(to) }
}

fn puts(documents: impl IntoIterator<Item = (impl Into<Arc<str>>, impl Into<Arc<str>>)>) -> PageWrite {
    let put = |(key, body): (_, _)| (Into::into(key), Change::Put(Json::stored(body)));
    PageWrite { changes: documents.into_iter().map(put).collect(), ..PageWrite::default() }
}

async fn keys(store: &SqliteDocuments, of: &SubscriberId) -> Vec<String> {
    let documents = store.documents(of, None, PageLimit::MAX).await.unwrap();
    documents.into_iter().map(|(key, _)| key.to_string()).collect()
}

async fn checkpoint(store: &SqliteDocuments, of: &SubscriberId) -> u64 {
    let all = store.subscribers().await.unwrap();
    all.iter().find(|info| info.subscriber == *of).unwrap().checkpoint.get()
}
