-- keep_snapshot.sql: $1 name of the stream, $2 fingerprint, $3 version, $4 position, $5 state
INSERT INTO {schema}.snapshots AS s (stream, fingerprint, version, position, state) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (stream) DO UPDATE SET
  fingerprint = excluded.fingerprint, version = excluded.version, position = excluded.position, state = excluded.state
WHERE s.fingerprint <> excluded.fingerprint OR s.version <= excluded.version
