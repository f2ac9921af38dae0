-- ?1 generation id, ?2 key
DELETE FROM documents WHERE generation = ?1 AND key = ?2
