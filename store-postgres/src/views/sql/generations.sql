-- generations.sql: all generations with what people want to know of them
SELECT name, generation, version, state,
       coalesce((SELECT min(l.checkpoint) FROM {schema}.lanes l WHERE l.generation = g.id), checkpoint),
       CASE WHEN lease_until > clock_timestamp() THEN holder END,
       (SELECT count(*) FROM {schema}.parked p WHERE p.generation = g.id), failure, failed_at
FROM {schema}.generations g ORDER BY name, generation
