-- One generation. ?1 name, ?2 generation
SELECT id, name, generation, version, state, checkpoint, epoch, holder, lease_us, lease_until_us
FROM generations WHERE name = ?1 AND generation = ?2
