-- read_log.sql: ?1 after this position, ?2 through this position
SELECT position, stream, version, type, commit_index, commit_size, recorded_at, format, event_id, metadata, payload
FROM log WHERE position > ?1 AND position <= ?2 ORDER BY position
