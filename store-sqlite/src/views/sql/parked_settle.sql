-- ?1 generation id, ?2 key, ?3 position
DELETE FROM parked WHERE generation = ?1 AND key = ?2 AND position = ?3
