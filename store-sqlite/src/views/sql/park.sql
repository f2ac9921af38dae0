-- Parks an event; one that is parked already keeps its place and its time.
-- ?1 generation id, ?2 key, ?3 position, ?4 stream, ?5 version, ?6 error, ?7 attempts, ?8 when
INSERT INTO parked (generation, key, position, stream, version, error, attempts, parked_at_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (generation, key, position) DO UPDATE SET error = excluded.error, attempts = excluded.attempts
