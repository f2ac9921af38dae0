-- names.sql: the names of the streams $1
SELECT s.id, s.name FROM {schema}.streams s WHERE s.id = ANY ($1::bigint[])
