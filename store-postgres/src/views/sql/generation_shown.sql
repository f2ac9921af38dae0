-- generation_shown.sql: the generation of a name that readers see. $1 name
SELECT id, name, generation, version, state, checkpoint, epoch, holder, lease_us,
       CASE WHEN isfinite(lease_until) THEN (extract(epoch FROM lease_until - clock_timestamp()) * 1000000)::bigint ELSE 0 END
FROM {schema}.generations WHERE name = $1 AND state = 'live'
