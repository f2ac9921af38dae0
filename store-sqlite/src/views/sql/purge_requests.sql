-- ?1 generation id, ?2 limit
DELETE FROM requests WHERE generation = ?1
AND key IN (SELECT key FROM requests WHERE generation = ?1 ORDER BY key LIMIT ?2)
