-- ?1 generation id, ?2 key
SELECT body FROM documents WHERE generation = ?1 AND key = ?2
