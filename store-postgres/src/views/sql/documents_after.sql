-- documents_after.sql: documents behind a key, by the bytes of their keys. $1 generation id, $2 limit, $3 key
SELECT key, body::text FROM {schema}.documents WHERE generation = $1 AND key > $3 ORDER BY key LIMIT $2
