-- The generation of a name that is live, or the one that is being built. ?1 name, ?2 state
SELECT id, name, generation, version, state, checkpoint, epoch, holder, lease_us, lease_until_us
FROM generations WHERE name = ?1 AND state = ?2
