-- Whether an event is parked under a key. ?1 generation id, ?2 key
SELECT EXISTS (SELECT 1 FROM parked WHERE generation = ?1 AND key = ?2)
