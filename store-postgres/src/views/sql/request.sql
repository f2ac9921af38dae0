-- request.sql: asks for something about the events parked under a key, if there are any; the last one who asks counts.
-- $1 generation id, $2 key, $3 action
INSERT INTO {schema}.requests AS r (generation, key, action)
SELECT $1, $2, $3 WHERE EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = $1 AND p.key = $2)
ON CONFLICT (generation, key) DO UPDATE SET action = excluded.action
