-- ?1 generation id, ?2 epoch, ?3 holder, ?4 how long it lasts, ?5 until when
UPDATE generations SET epoch = ?2, holder = ?3, lease_us = ?4, lease_until_us = ?5 WHERE id = ?1
