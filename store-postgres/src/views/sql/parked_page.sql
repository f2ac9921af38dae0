-- parked_page.sql: parked events behind a key and a position. $1 generation id, $2 key, $3 position, $4 limit
SELECT key, position, stream, version, error, attempts, parked_at
FROM {schema}.parked WHERE generation = $1 AND (key, position) > ($2, $3) ORDER BY key, position LIMIT $4
