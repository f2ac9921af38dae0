-- ?1 generation id
UPDATE generations SET holder = NULL, lease_until_us = 0 WHERE id = ?1
