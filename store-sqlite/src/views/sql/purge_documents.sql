-- ?1 generation id, ?2 limit
DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents WHERE generation = ?1 LIMIT ?2)
