-- Asks for something about the events parked under a key; the last one who asks counts.
-- ?1 generation id, ?2 key, ?3 action
INSERT INTO requests (generation, key, action) VALUES (?1, ?2, ?3)
ON CONFLICT (generation, key) DO UPDATE SET action = excluded.action
