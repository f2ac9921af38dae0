-- tables_there.sql: whether a generation has tables of its author's
SELECT to_regnamespace('{tables}') IS NOT NULL
