-- documents_first.sql: the first documents by the bytes of their keys. $1 limit
SELECT key, body::text FROM {schema}.documents_{id} ORDER BY key LIMIT $1
