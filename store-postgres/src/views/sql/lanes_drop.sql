-- lanes_drop.sql: $1 generation id
DELETE FROM {schema}.lanes WHERE generation = $1
