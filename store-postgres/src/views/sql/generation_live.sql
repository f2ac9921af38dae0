-- generation_live.sql: readers see it from now on. $1 generation id
UPDATE {schema}.generations SET state = 'live' WHERE id = $1
