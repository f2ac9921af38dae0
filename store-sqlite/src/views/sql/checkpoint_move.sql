-- Moves the checkpoint, which is a sign of life too. ?1 generation id, ?2 position, ?3 now
UPDATE generations SET checkpoint = ?2, lease_until_us = ?3 + lease_us WHERE id = ?1
