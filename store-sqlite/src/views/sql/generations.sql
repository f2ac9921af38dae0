-- All generations with what people want to know of them. ?1 now
SELECT name, generation, version, state, checkpoint,
    CASE WHEN lease_until_us > ?1 THEN holder END,
    (SELECT count(*) FROM parked WHERE parked.generation = generations.id),
    failure, failed_at_us
FROM generations ORDER BY name, generation
