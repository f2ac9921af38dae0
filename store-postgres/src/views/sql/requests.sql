-- requests.sql: $1 generation id, $2 limit
SELECT key, action FROM {schema}.requests WHERE generation = $1 ORDER BY key LIMIT $2
