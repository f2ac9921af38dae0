//! The file itself refuses what must never happen, whatever program tries.

use crate::shop::{Shop, to};
use annals::{EventStore, Expected};
use rusqlite::Connection;

const TABLES: [&str; 3] = ["log", "streams", "types"];

async fn a_log() -> Shop {
    let shop = Shop::new();
    let store = shop.store();
    store.append(to("order-1", Expected::NEW, 3)).await.unwrap();
    store.append(to("order-2", Expected::NEW, 2)).await.unwrap();
    shop
}

/// Everything in the log, as text.
fn contents(raw: &Connection) -> Vec<String> {
    let all = |table: &str| {
        let mut statement = raw.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|column| row.get_ref(column).map(|value| format!("{value:?}"))).collect()
        });
        rows.unwrap().collect::<Result<Vec<Vec<String>>, _>>().unwrap()
    };
    TABLES.iter().flat_map(|table| all(table)).map(|row| row.join("|")).collect()
}

/// Each of these went through when its trigger was dropped: see the control below.
const ATTEMPTS: [&str; 14] = [
    "UPDATE log SET payload = '1' WHERE position = 2",
    "UPDATE OR REPLACE log SET position = 1 WHERE position = 2",
    "DELETE FROM log WHERE position = 2",
    "DELETE FROM log",
    "INSERT OR REPLACE INTO log SELECT * FROM log WHERE position = 2",
    // A free position, but an event id and then a version that is taken.
    "INSERT OR REPLACE INTO log SELECT 9, stream, 9, type, 0, 1, recorded_at, format, event_id, tags, metadata, payload \
     FROM log WHERE position = 2",
    "INSERT OR REPLACE INTO log SELECT 9, stream, version, type, 0, 1, recorded_at, format, randomblob(16), tags, \
     metadata, payload FROM log WHERE position = 2",
    "INSERT INTO log SELECT 2, stream, 9, type, 0, 1, recorded_at, format, randomblob(16), tags, metadata, payload \
     FROM log WHERE position = 2 ON CONFLICT DO UPDATE SET payload = '1'",
    "UPDATE streams SET name = 'order-9' WHERE id = 1",
    "DELETE FROM streams WHERE id = 1",
    "INSERT OR REPLACE INTO streams(id, name) VALUES (9, 'order-1')",
    "UPDATE types SET name = 'Other'",
    "DELETE FROM types",
    "INSERT OR REPLACE INTO types(id, category, name, schema_version) SELECT 9, category, name, schema_version FROM types",
];

#[tokio::test]
async fn no_row_of_the_log_is_ever_changed() {
    let shop = a_log().await;
    for foreign_keys in ["on", "off"] {
        let raw = shop.raw();
        raw.pragma_update(None, "foreign_keys", foreign_keys).unwrap();
        let before = contents(&raw);
        for attempt in ATTEMPTS {
            let error = raw.execute_batch(attempt).unwrap_err().to_string();
            assert!(error.contains("the log is append-only"), "{attempt}: {error}");
            assert_eq!(contents(&raw), before, "{attempt}");
        }
    }
    assert_eq!(shop.store().check(|_, _| {}).await.unwrap().problems, []);
}

/// Control: without the triggers each attempt changes something.
#[tokio::test]
async fn without_the_triggers_every_attempt_would_go_through() {
    for attempt in ATTEMPTS {
        let shop = a_log().await;
        let raw = shop.raw();
        raw.pragma_update(None, "foreign_keys", "off").unwrap();
        for table in TABLES {
            for kind in ["update", "delete", "insert"] {
                raw.execute_batch(&format!("DROP TRIGGER {table}_{kind}")).unwrap();
            }
        }
        let before = contents(&raw);
        raw.execute_batch(attempt).unwrap();
        let replaced_by_itself = attempt.ends_with("SELECT * FROM log WHERE position = 2");
        assert_eq!(contents(&raw) == before, replaced_by_itself, "{attempt}");
    }
}
