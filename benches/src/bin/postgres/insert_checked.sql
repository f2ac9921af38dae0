-- insert_checked.sql: one event, if the stream is where it is expected, in one statement. $1 stream, $2 expected version,
-- $3 event id, $4 payload
INSERT INTO bare.log(stream, version, recorded_at, event_id, type, commit_index, commit_size, format, metadata, payload)
SELECT $1, $2 + 1, clock_timestamp(), $3, 1, 0, 1, 0, '{}', $4::json
WHERE $2 = coalesce((SELECT l.version FROM bare.log l WHERE l.stream = $1 ORDER BY l.version DESC LIMIT 1), 0)
