-- columns_set.sql: what was declared of a generation's columns. $1 generation id, $2 columns
UPDATE {schema}.generations SET columns = $2 WHERE id = $1
