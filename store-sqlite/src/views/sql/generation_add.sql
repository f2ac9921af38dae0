-- A new generation behind all others of its name. ?1 name, ?2 version, ?3 state
INSERT INTO generations (name, generation, version, state)
VALUES (?1, (SELECT coalesce(max(generation), 0) + 1 FROM generations WHERE name = ?1), ?2, ?3)
RETURNING generation
