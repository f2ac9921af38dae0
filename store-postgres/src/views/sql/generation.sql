-- generation.sql: one generation, and how long its lease lasts. $1 name, $2 generation
SELECT id, name, generation, version, state, checkpoint, epoch, holder, lease_us,
       CASE WHEN isfinite(lease_until) THEN (extract(epoch FROM lease_until - clock_timestamp()) * 1000000)::bigint ELSE 0 END
FROM {schema}.generations WHERE name = $1 AND generation = $2
