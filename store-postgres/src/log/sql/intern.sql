-- intern.sql: the numbers of event types, in order. $1 categories, $2 names, $3 schema versions
SELECT * FROM {schema}.intern($1, $2, $3)
