//! How large what such a role appends may be.

use super::{ids, log_and_role, writes};
use annals::{COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Json, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX};

/// A call of the short way with one commit of `events`, each of whose payloads and metadata has so many bytes.
fn sized(events: usize, payload: usize, metadata: usize) -> String {
    let each = |what: &str| format!("ARRAY(SELECT {what} FROM generate_series(1, {events}) i)");
    // With its quotes and braces, a JSON object as long as asked.
    let text = |bytes: usize| each(&format!(r#"('{{"":"' || repeat('x', {bytes} - 7) || '"}}')::json"#));
    let (versions, types, indexes) = (each("2 + i"), each("1"), each("(i - 1)::smallint"));
    let (streams, sizes) = (each("1::bigint"), each(&format!("{events}::smallint")));
    format!(
        "SELECT outcome FROM append_next(pg_postmaster_start_time(), 3, '{{}}', '{{}}', {streams}, {versions}::bigint[], \
         {}, {types}, {indexes}, {sizes}, {}, {})",
        ids(events),
        text(metadata),
        text(payload)
    )
}

/// C11 holds for whoever asks nobody how large a commit may be. Without the limits in `check_written`, all are written.
#[tokio::test]
async fn whoever_appends_is_held_to_the_limits() {
    const FULL: usize = COMMIT_BYTES_MAX / PAYLOAD_BYTES_MAX;
    let Some((_place, _owner, _name, mut raw)) = log_and_role().await else { return };
    let small = Json::empty().bytes() + 5;
    for (events, payload, metadata) in [
        (COMMIT_EVENTS_MAX, small, small),
        (1, PAYLOAD_BYTES_MAX, METADATA_BYTES_MAX),
        (FULL, PAYLOAD_BYTES_MAX - small, small),
    ] {
        assert_eq!(writes(&mut raw, &sized(events, payload, metadata)).await, Ok(true));
    }
    for (events, payload, metadata) in [
        (COMMIT_EVENTS_MAX + 1, small, small),
        (1, PAYLOAD_BYTES_MAX + 1, small),
        (1, small, METADATA_BYTES_MAX + 1),
        (FULL, PAYLOAD_BYTES_MAX - small + 1, small),
    ] {
        let refused = writes(&mut raw, &sized(events, payload, metadata)).await.unwrap_err();
        assert!(refused.contains("larger than the log allows"), "{events}, {payload}, {metadata}: {refused}");
    }
}
