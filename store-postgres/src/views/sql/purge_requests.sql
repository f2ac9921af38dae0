-- purge_requests.sql: $1 generation id, $2 limit
DELETE FROM {schema}.requests r WHERE r.generation = $1 AND r.key IN
  (SELECT q.key FROM {schema}.requests q WHERE q.generation = $1 ORDER BY q.key LIMIT $2)
