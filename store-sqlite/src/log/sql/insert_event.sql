-- insert_event.sql: one row of the log; format 0, no tags. A failure ends the transaction: see 0001_log.sql
INSERT OR ROLLBACK INTO log(position, stream, version, type, commit_index, commit_size, recorded_at, format, event_id, tags, metadata, payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, NULL, ?9, ?10)
