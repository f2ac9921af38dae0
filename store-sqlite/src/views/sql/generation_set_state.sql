-- ?1 generation id, ?2 state
UPDATE generations SET state = ?2 WHERE id = ?1
