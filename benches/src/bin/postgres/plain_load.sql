-- plain_load.sql: one stream. $1 its name
SELECT position, version, recorded_at, event_id, type, commit_index, commit_size, metadata, payload
FROM read.log WHERE stream = (SELECT id FROM read.streams WHERE name = $1) ORDER BY version
