-- purge_documents.sql: $1 generation id, $2 limit
DELETE FROM {schema}.documents d WHERE d.generation = $1 AND d.key IN
  (SELECT q.key FROM {schema}.documents q WHERE q.generation = $1 ORDER BY q.key LIMIT $2)
