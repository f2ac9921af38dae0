-- documents_after.sql: documents behind a key, by the bytes of their keys. $1 limit, $2 key
SELECT key, body::text FROM {schema}.documents_{id} WHERE key > $2 ORDER BY key LIMIT $1
