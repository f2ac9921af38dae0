-- Its runner can write nothing any more, so its lease ends too. ?1 generation id
UPDATE generations SET state = 'retired', holder = NULL, lease_until_us = 0 WHERE id = ?1
