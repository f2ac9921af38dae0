-- Whether any event is parked. ?1 generation id
SELECT EXISTS (SELECT 1 FROM parked WHERE generation = ?1)
