use super::*;
use std::fs;

const V1: FileKind = FileKind {
    what: "list of hats",
    application_id: 0x6861_7473,
    migrations: &["CREATE TABLE hats(name TEXT NOT NULL) STRICT"],
};
const V2: FileKind = FileKind {
    migrations: &[V1.migrations[0], "ALTER TABLE hats ADD COLUMN cents INTEGER NOT NULL DEFAULT 0"],
    ..V1
};
const SCARVES: FileKind = FileKind { what: "list of scarves", application_id: 0x7363_6172, ..V1 };

fn open(path: &Path, kind: &FileKind) -> Result<Connection, FileError> {
    open_writer(path, Synchronous::Full, kind)
}

fn said(done: Result<Connection, FileError>) -> String {
    done.unwrap_err().to_string()
}

#[test]
fn migrations_are_applied_once_and_only_forward() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hats.db");
    open(&path, &V1).unwrap().execute("INSERT INTO hats VALUES ('bowler')", []).unwrap();
    for _ in 0..2 {
        let hats = open(&path, &V2).unwrap();
        let row: (String, i64) =
            hats.query_row("SELECT name, cents FROM hats", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, ("bowler".into(), 0));
    }
    let before = fs::read(&path).unwrap();
    assert!(said(open(&path, &V1)).contains("in layout 2, this program knows up to 1: update the program"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_holds_something_else_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("text"), "hats: bowler, fedora\n".repeat(400)).unwrap();
    fs::write(at("short"), "x").unwrap();
    Connection::open(at("other")).unwrap().execute_batch("CREATE TABLE t(a)").unwrap();
    Connection::open(at("wal")).unwrap().execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t(a)").unwrap();
    Connection::open(at("marked")).unwrap().execute_batch("PRAGMA application_id=7").unwrap();
    Connection::open(at("numbered")).unwrap().execute_batch("PRAGMA user_version=1").unwrap();
    drop(open(&at("scarves"), &SCARVES).unwrap());
    fs::create_dir(at("dir")).unwrap();
    for name in ["text", "short", "other", "wal", "marked", "numbered", "scarves"] {
        let before = fs::read(at(name)).unwrap();
        let message = said(open(&at(name), &V1));
        assert!(message.contains("holds no list of hats") && message.contains(name), "{name}: {message}");
        assert_eq!(fs::read(at(name)).unwrap(), before, "{name}");
    }
    assert!(said(open(&at("dir"), &V1)).contains("it is a directory"));
    fs::write(at("empty"), "").unwrap();
    open(&at("empty"), &V1).unwrap();
}

/// Another program's write-ahead log is as much its data as the file beside it.
#[test]
fn a_foreign_database_in_use_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("used.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
    let wal = dir.path().join("used.db-wal");
    let before = (fs::read(&path).unwrap(), fs::read(&wal).unwrap());
    assert!(said(open(&path, &V1)).contains("another SQLite database"));
    assert_eq!((fs::read(&path).unwrap(), fs::read(&wal).unwrap()), before);
    assert_eq!(other.query_row("SELECT count(*) FROM t", [], |r| r.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn a_path_that_leads_nowhere_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let message = said(open(&dir.path().join("missing/hats.db"), &V1));
    assert!(
        message.contains("missing/hats.db") && message.contains("check that the directory exists"),
        "{message}"
    );
    fs::write(dir.path().join("file"), "x").unwrap();
    let message = said(open(&dir.path().join("file/hats.db"), &V1));
    assert!(message.contains("check the path"), "{message}");
}

#[test]
fn many_that_open_a_new_file_at_once_all_get_it() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = dir.path().join(format!("{round}.db"));
        let start = std::sync::Barrier::new(10);
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    start.wait();
                    open(&path, &V2).unwrap().execute("INSERT INTO hats(name) VALUES ('cap')", []).unwrap();
                });
            }
        });
        let count: i64 =
            open_reader(&path).unwrap().query_row("SELECT count(*) FROM hats", [], |r| r.get(0)).unwrap();
        assert_eq!(count, 10);
    }
}

#[test]
fn settings_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hats.db");
    for (synchronous, number) in [(Synchronous::Full, 2), (Synchronous::Normal, 1)] {
        let hats = open_writer(&path, synchronous, &V1).unwrap();
        let is =
            |pragma: &str| -> i64 { hats.query_row(&format!("PRAGMA {pragma}"), [], |r| r.get(0)).unwrap() };
        assert_eq!((is("synchronous"), is("foreign_keys")), (number, 1));
        // Control: inside a transaction SQLite ignores a change of this setting without a word.
        hats.execute_batch("BEGIN").unwrap();
        let error = set(&hats, &path, "foreign_keys", "off", 0).unwrap_err();
        assert!(error.to_string().contains("has foreign_keys 1, not 0"), "{error}");
    }
    let reader = open_reader(&path).unwrap();
    assert!(reader.execute("INSERT INTO hats VALUES ('cap')", []).is_err());
}
