-- Whether nothing of a generation is left. ?1 generation id
SELECT NOT EXISTS (SELECT 1 FROM documents WHERE generation = ?1)
    AND NOT EXISTS (SELECT 1 FROM parked WHERE generation = ?1)
    AND NOT EXISTS (SELECT 1 FROM requests WHERE generation = ?1)
