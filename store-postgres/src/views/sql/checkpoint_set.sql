-- checkpoint_set.sql: $1 generation id, $2 where it stands
UPDATE {schema}.generations SET checkpoint = $2 WHERE id = $1
