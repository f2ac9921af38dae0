-- purge_documents.sql: $1 limit
DELETE FROM {schema}.documents_{id} d WHERE d.key IN
  (SELECT q.key FROM {schema}.documents_{id} q ORDER BY q.key LIMIT $1)
