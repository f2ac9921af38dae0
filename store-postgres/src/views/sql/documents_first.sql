-- documents_first.sql: the first documents by the bytes of their keys. $1 generation id, $2 limit
SELECT key, body::text FROM {schema}.documents WHERE generation = $1 ORDER BY key LIMIT $2
