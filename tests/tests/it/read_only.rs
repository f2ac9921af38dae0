//! The file may not be written: it is said so, with what to do, and nothing changes.

use crate::{ledger::whole_log, small_disk::SmallDisk};
use annals::{Commit, EventData, EventId, EventStore, Expected, Json, error_text};
use annals_services::not_run;
use annals_sqlite::{FileError, SqliteDocuments, SqliteOptions, SqliteStore};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

fn commit() -> Commit {
    let event = EventData::raw(EventId::random(), "Noted", 1, Json::empty());
    Commit::to("note-1".parse().unwrap(), Expected::Any, [event])
}

fn open(path: &Path) -> Result<SqliteStore, FileError> {
    SqliteStore::open(&SqliteOptions::new(path))
}

/// A log with one event, and read models beside it; both closed.
async fn make(log: &Path, views: &Path) {
    open(log).unwrap().append(commit()).await.unwrap();
    SqliteDocuments::open(views).unwrap();
}

/// Every database in a directory, with its content.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let databases = paths.filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    databases.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// It names the file and the next step.
fn assert_refused(error: &FileError, file: &Path) {
    let text = error_text(error);
    assert!(text.contains(file.to_str().unwrap()), "{text:?} does not name the file");
    let steps = ["allow this user to write the file and its directory", "that this user may write to it"];
    assert!(steps.iter().any(|step| text.contains(step)), "{text:?} does not say what to do");
}

/// The control is the end of each test: the same file opens when it may be written.
#[tokio::test]
async fn a_read_only_disk_is_told_with_the_file_and_what_to_do() {
    let Some(disk) = SmallDisk::mount(4, "a read-only disk") else { return };
    let (log, views) = (disk.file("shop.db"), disk.file("shop-views.db"));
    make(&log, &views).await;
    let before = contents(disk.path());
    disk.read_only(true);
    assert_refused(&open(&log).err().unwrap(), &log);
    assert_refused(&SqliteDocuments::open(&views).err().unwrap(), &views);
    let new = disk.file("new.db");
    assert_refused(&open(&new).err().unwrap(), &new);
    assert_eq!(contents(disk.path()), before);
    disk.read_only(false);
    assert_eq!(whole_log(&open(&log).unwrap()).await.len(), 1);
}

/// Keeps a file from being written, also by root; undone when dropped.
struct Frozen {
    path: PathBuf,
    flags: Option<IFlags>,
}

impl Frozen {
    /// `None`, said aloud, where the filesystem knows no such flag and root may write everything.
    fn freeze(path: &Path, story: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
            return Some(Self { path: path.into(), flags: None });
        }
        let file = File::open(path).unwrap();
        let frozen = ioctl_getflags(&file)
            .and_then(|flags| ioctl_setflags(&file, flags | IFlags::IMMUTABLE).map(|()| flags));
        match frozen {
            Ok(flags) => Some(Self { path: path.into(), flags: Some(flags) }),
            Err(error) => {
                not_run(story, format!("root may write any file, and none can be made immutable: {error}"));
                None
            }
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        match self.flags {
            Some(flags) => ioctl_setflags(File::open(&self.path).unwrap(), flags).unwrap(),
            None => fs::set_permissions(&self.path, fs::Permissions::from_mode(0o644)).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_read_only_file_is_told_with_its_name_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (log, views) = (dir.path().join("shop.db"), dir.path().join("shop-views.db"));
    make(&log, &views).await;
    let before = contents(dir.path());
    {
        let Some(_log) = Frozen::freeze(&log, "a read-only file") else { return };
        let _views = Frozen::freeze(&views, "a read-only file").unwrap();
        assert_refused(&open(&log).err().unwrap(), &log);
        assert_refused(&SqliteDocuments::open(&views).err().unwrap(), &views);
        assert_eq!(contents(dir.path()), before);
    }
    assert_eq!(whole_log(&open(&log).unwrap()).await.len(), 1);
    SqliteDocuments::open(&views).unwrap();
}

/// The write-ahead log is frozen under the running store: an append is refused as by a disk that fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_read_only_refuses_appends_until_it_is_opened_again() {
    if !rustix::process::geteuid().is_root() {
        return not_run("a file that becomes read-only", "only root can make an open file immutable");
    }
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let store = open(&log).unwrap();
    store.append(commit()).await.unwrap();
    {
        let wal = dir.path().join("shop.db-wal");
        let Some(_frozen) = Frozen::freeze(&wal, "a file that becomes read-only") else { return };
        let text = error_text(&store.append(commit()).await.unwrap_err());
        assert!(text.contains(log.to_str().unwrap()) && text.contains("open the store again"), "{text}");
        assert_eq!(whole_log(&store).await.len(), 1);
    }
    let text = error_text(&store.append(commit()).await.unwrap_err());
    assert!(text.contains("open the store again"), "{text}");
    drop(store);
    let store = open(&log).unwrap();
    store.append(commit()).await.unwrap();
    assert_eq!(whole_log(&store).await.len(), 2);
    assert!(store.check(|_, _| {}).await.unwrap().problems.is_empty());
}
