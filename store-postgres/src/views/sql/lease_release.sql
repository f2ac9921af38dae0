-- lease_release.sql: $1 generation id
UPDATE {schema}.generations SET holder = NULL, lease_until = '-infinity' WHERE id = $1
