-- read_backwards.sql: $1 name of the stream, $2 after this version, $3 through this version, $4 limit
SELECT position, version, recorded_at, event_id, type, commit_index, commit_size, format, metadata, payload
FROM {schema}.log
WHERE stream = (SELECT id FROM {schema}.streams WHERE name = $1) AND version > $2 AND version <= $3
ORDER BY version DESC LIMIT $4
