-- A sign of life. ?1 generation id, ?2 now
UPDATE generations SET lease_until_us = ?2 + lease_us WHERE id = ?1
