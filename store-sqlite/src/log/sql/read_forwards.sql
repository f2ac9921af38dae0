-- read_forwards.sql: ?1 name of the stream, ?2 after this version, ?3 through this version.
-- No limit, the reader stops by itself: SQLite prepares a statement anew whenever a bound LIMIT is bound.
SELECT position, stream, version, type, commit_index, commit_size, recorded_at, format, event_id, metadata, payload
FROM log WHERE stream = (SELECT id FROM streams WHERE name = ?1) AND version > ?2 AND version <= ?3
ORDER BY version
