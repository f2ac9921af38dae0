-- layout.sql: how many migrations the tables named $1 have seen
SELECT version FROM {schema}.layouts WHERE what = $1
