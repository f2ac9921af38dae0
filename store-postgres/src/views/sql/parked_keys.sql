-- parked_keys.sql: those of some keys under which events are parked. $1 generation id, $2 keys
SELECT k FROM unnest($2::text[]) k WHERE EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = $1 AND p.key = k)
