-- generation_retire.sql: its runner can write nothing any more, so its lease ends too. $1 generation id
UPDATE {schema}.generations SET state = 'retired', holder = NULL, lease_until = '-infinity' WHERE id = $1
