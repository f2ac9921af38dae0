-- ?1 generation id, ?2 limit
DELETE FROM parked WHERE generation = ?1
AND (key, position) IN (SELECT key, position FROM parked WHERE generation = ?1 ORDER BY key, position LIMIT ?2)
