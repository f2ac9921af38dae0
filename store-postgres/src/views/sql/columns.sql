-- columns.sql: what was declared of a generation's columns. $1 generation id
SELECT columns FROM {schema}.generations WHERE id = $1
