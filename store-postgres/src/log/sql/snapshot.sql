-- snapshot.sql: $1 name of the stream, $2 fingerprint
SELECT version, position, state FROM {schema}.snapshots WHERE stream = $1 AND fingerprint = $2
