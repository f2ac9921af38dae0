-- purge_parked.sql: $1 generation id, $2 limit
DELETE FROM {schema}.parked p WHERE p.generation = $1 AND (p.key, p.position) IN
  (SELECT q.key, q.position FROM {schema}.parked q WHERE q.generation = $1 ORDER BY q.key, q.position LIMIT $2)
