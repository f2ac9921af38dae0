-- parked_page_of_key.sql: events parked under one key, behind a position. $1 generation id, $2 key, $3 position, $4 limit
SELECT key, position, stream, version, error, attempts, parked_at
FROM {schema}.parked WHERE generation = $1 AND key = $2 AND position > $3 ORDER BY position LIMIT $4
