-- generations_of.sql: all generations of a name that are not retired, locked in one order for all. $1 name
SELECT id, name, generation, version, state, checkpoint, epoch, holder, lease_us,
       CASE WHEN isfinite(lease_until) THEN (extract(epoch FROM lease_until - clock_timestamp()) * 1000000)::bigint ELSE 0 END
FROM {schema}.generations WHERE name = $1 AND state <> 'retired' ORDER BY generation FOR UPDATE
