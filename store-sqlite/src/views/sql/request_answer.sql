-- ?1 generation id, ?2 key
DELETE FROM requests WHERE generation = ?1 AND key = ?2
