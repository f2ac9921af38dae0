-- Whether this event is parked under a key. ?1 generation id, ?2 key, ?3 position
SELECT EXISTS (SELECT 1 FROM parked WHERE generation = ?1 AND key = ?2 AND position = ?3)
