-- ?1 generation id, ?2 key, ?3 body
INSERT INTO documents (generation, key, body) VALUES (?1, ?2, ?3)
ON CONFLICT (generation, key) DO UPDATE SET body = excluded.body
