-- Why a subscriber cannot go on. ?1 generation id, ?2 why, ?3 now
UPDATE generations SET failure = ?2, failed_at_us = ?3 WHERE id = ?1
